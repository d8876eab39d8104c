/** The button on the host page and the element around it, and the commands of the page; the panel is fetched when it is wanted. */

const OPTIONS = ["site", "lang", "theme", "mode", "launcher", "unread"];
const looks = "__STYLE__";
const look = new CSSStyleSheet();
let setup;
let chat;
const listeners = new Map();

class CorralChat extends HTMLElement {
  static observedAttributes = ["site", "lang"];
  // The panel, or what will be it; one in another language begins by forgetting this one.
  built;
  isOpen = false;
  unread = 0;
  // The panel says these.
  state = "closed";
  conversation = null;

  connectedCallback() {
    chat ??= this;
    if (this.shadowRoot || chat !== this) return;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [look];
    look.replaceSync(looks);
    this.button = make("button", { class: "launcher", part: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": false });
    this.label = make("span", { class: "label" });
    this.badge = make("span", { class: "badge" });
    this.said = make("span", { class: "said", role: "status" });
    const { button } = this;
    button.append(this.label, this.badge);
    root.append(button, this.said);
    button.onclick = () => this.toggle();
    button.onpointerenter = button.onfocus = () => this.panel();
    document.addEventListener("focusin", ({ target }) => this.#stepAside(target));
    // As if there were none.
    if (this.mode === "bubble") this.removeAttribute("mode");
    this.#configure();
  }

  get site() {
    return this.getAttribute("site");
  }

  get mode() {
    return this.getAttribute("mode");
  }

  attributeChangedCallback(name, before, after) {
    if (!this.shadowRoot || before === after) return;
    this.#configure();
    this.emit("change");
  }

  /** Read what the owner set for this site, in the visitor's language; without a key when it cannot be read. */
  async #configure() {
    const { site } = this;
    if (!site) return;
    this.config = fetch(`${setup.base}/w/sites/${site}/config?lang=${this.#wishes.find(Boolean)}`).then((answer) => answer.json()).catch(() => ({}));
    const { key, accent = "#1d6b57", launcher_label: label = "", theme = "auto" } = await this.config;
    if (!key) {
      // A file or sandboxed frame has no origin: the panel says what to do.
      this.hidden = origin !== "null";
      console.warn(`Corral: no chat. ${this.hidden ? `May ${origin} use ${site}?` : "Use a web server."}`);
    }
    look.replaceSync(`${looks}:host{--corral-accent:${accent}}`);
    this.label.textContent = label;
    if (!this.hasAttribute("theme")) this.setAttribute("theme", theme);
    this.rename(this.name ?? (label || "Chat"));
    this.isReady = true;
    this.emit("ready");
    if (this.mode) this.open("quietly");
    // An answer was being written when the visitor left the last page.
    else if (isBusy(site)) this.panel();
  }

  /** Languages, the dearest first. */
  get #wishes() {
    return [this.lang.replace("auto", ""), document.documentElement.lang, ...navigator.languages];
  }

  /** The panel, fetched once; after a lost line the next wish tries again. */
  panel() {
    this.built ??= this.#build().catch((error) => {
      this.built = null;
      throw error;
    });
    return this.built;
  }

  /** In the visitor's language if there is a panel in it, else the site's, else English. */
  async #build() {
    const config = await this.config;
    const wishes = [...this.#wishes, config.default_language, "en"].join();
    const language = /(?:^|,)(__LANGUAGES__)\b/i.exec(wishes)[1].toLowerCase();
    const { openPanel } = await import(`${setup.base}/w/${setup.version}/panel.${language}.js`);
    return openPanel(this, setup, config);
  }

  open(how) {
    return this.isOpen || this.toggle(how);
  }

  close() {
    return this.isOpen && this.toggle();
  }

  /** Open or close; beside a text it is always open. */
  async toggle(how) {
    if (this.isOpen && this.mode) return;
    this.button.ariaExpanded = this.isOpen = !this.isOpen;
    const name = this.isOpen ? "open" : "close";
    const panel = await this.panel();
    panel[name](how);
    this.emit(name);
  }

  /** Number of answers nobody has read yet; `text` is said on the host page. */
  setUnread(unread, text = "") {
    this.said.textContent = text;
    if (unread === this.unread) return;
    this.unread = unread;
    this.badge.textContent = unread > 9 ? "9+" : unread || "";
    this.rename(this.name);
    this.emit("unread", { unread });
  }

  /** The button's name; the panel brings the words of the language. */
  rename(name) {
    this.name = name;
    this.button.ariaLabel = this.unread ? `${name} (${this.unread})` : name;
  }

  emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(`corral:${name}`, { bubbles: true, composed: true, detail }));
  }

  /** Nothing of the host page that has the focus may hide under the chat. */
  #stepAside(target) {
    if (target === this) return;
    this.removeAttribute("data-aside");
    const { x, y, width, height } = target.getBoundingClientRect();
    this.toggleAttribute("data-aside", document.elementFromPoint(x + width / 2, y + height / 2) === this);
  }
}

function make(tag, attributes) {
  const node = document.createElement(tag);
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  return node;
}

/** As the panel of an earlier page noted it. */
function isBusy(site) {
  try {
    return JSON.parse(localStorage[`corral:${site}`]).isBusy;
  } catch {
    return false;
  }
}

// The commands of the host page, `Corral("open")`

const COMMANDS = {
  boot(options) {
    adopt(options);
    appear();
  },
  update: adopt,
  open: () => chat.open(),
  close: () => chat.close(),
  toggle: () => chat.toggle(),
  hide: () => void (chat.hidden = true),
  show: () => void (chat.hidden = false),
  on(name, listener) {
    const heard = ({ detail }) => listener(detail);
    listeners.set(listener, heard);
    chat.addEventListener(`corral:${name}`, heard);
    if (name === "ready" && chat.isReady) listener({});
  },
  off: (name, listener) => chat.removeEventListener(`corral:${name}`, listeners.get(listener)),
  get: () => ({
    open: chat.isOpen,
    unread: chat.unread,
    state: chat.state,
    conversation: chat.conversation,
    version: setup.version,
  }),
};

/** What is not here is the panel's. */
async function obey([name, ...values], isGesture) {
  return COMMANDS[name] ? COMMANDS[name](...values) : (await chat.panel()).obey(name, values, isGesture);
}

/** Take options of `boot` or `update`. */
function adopt(options) {
  for (const name in options) {
    const value = options[name];
    const { style } = chat;
    if (OPTIONS.includes(name)) chat.setAttribute(name, name === "launcher" && !value ? "hidden" : value);
    if (name === "page") chat.page = value;
    if (name === "z") style.setProperty("--corral-z", value);
    if (name === "inset") for (const axis of "xy") style.setProperty(`--corral-inset-${axis}`, `${value[axis] ?? value}px`);
  }
}

function appear() {
  if (chat.site && !chat.isConnected) document.body.append(chat);
}

/** Called once by the loader. given: {base, version, site, and the tag's data attributes}. */
export function start(given) {
  setup = given;
  const begin = () => {
    customElements.define("corral-chat", CorralChat);
    chat ??= make("corral-chat");
    for (const name of OPTIONS) if (given[name] && !chat.getAttribute(name)) chat.setAttribute(name, given[name]);
    appear();
    document.addEventListener("click", ({ target }) => target.closest("[data-chat-open]") && chat.open());
    // Do what waits in the queue.
    Corral.wake = () => {
      for (const command of Corral.q.splice(0)) obey(command, command.isGesture).then(command.resolve, command.reject ?? (() => {}));
    };
    Corral.wake();
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
}
