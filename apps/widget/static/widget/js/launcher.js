/** The button on the host page and the element around it; the panel is fetched when it is wanted. */

const STYLE = `
:host{all:initial;display:block;position:fixed;z-index:var(--corral-z,99999);inset-inline-end:max(var(--corral-inset-x,20px),env(safe-area-inset-right));inset-block-end:max(var(--corral-inset-y,20px),env(safe-area-inset-bottom));color-scheme:light dark}
:host([data-aside]){inset-inline:max(var(--corral-inset-x,20px),env(safe-area-inset-left)) auto}
:host([theme=light]){color-scheme:light}
:host([theme=dark]){color-scheme:dark}
:host([hidden]),:host([launcher=hidden]) .launcher,:host([mode]) .launcher,.badge:empty{display:none}
.launcher{--on:calc((.18 - y)*999);display:flex;align-items:center;min-width:56px;height:56px;padding:0 15px;border:1px solid #0000;border-radius:28px;background:var(--corral-accent);color:#fff;color:color(from var(--corral-accent) xyz var(--on) var(--on) var(--on));font:500 16px var(--corral-font,system-ui,sans-serif);cursor:pointer;box-shadow:0 4px 20px #0004}
.launcher:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px #111}
.launcher::before{content:"";width:24px;height:24px;background:currentColor;clip-path:path(evenodd,"M12 2C6 2 1 6 1 11c0 2.8 1.5 5.3 4 7l-1 5 5-3 3 .3c6 0 11-4 11-9S18 2 12 2zM6 8h12v2H6zM6 12h8v2H6z")}
.label:not(:empty){margin-inline:10px 6px}
.badge{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-width:10px;padding:0 5px;border-radius:10px;background:#c62828;color:#fff;font-size:12px;line-height:20px}
.said{position:absolute;clip-path:inset(50%)}
@media(forced-colors:active){.launcher{border-color:ButtonBorder}.launcher::before{forced-color-adjust:none}}`;

let setup;
let chat;

class CorralChat extends HTMLElement {
  static observedAttributes = ["site", "lang"];
  #panel;
  isOpen = false;
  unread = 0;

  connectedCallback() {
    chat ??= this;
    if (this.shadowRoot || chat !== this) return;
    const root = this.attachShadow({ mode: "open" });
    this.look = new CSSStyleSheet();
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style, this.look];
    this.button = make("button", { class: "launcher", part: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" });
    this.label = make("span", { class: "label" });
    this.badge = make("span", { class: "badge", "aria-hidden": "true" });
    this.said = make("span", { class: "said", role: "status" });
    this.button.append(this.label, this.badge);
    root.append(this.button, this.said);
    this.button.onclick = () => this.toggle();
    this.button.onpointerenter = this.button.onfocus = () => this.panel();
    document.addEventListener("focusin", ({ target }) => this.#stepAside(target));
    if (this.mode === "bubble") this.removeAttribute("mode");
    this.#configure();
  }

  attributeChangedCallback(name, before, after) {
    if (this.shadowRoot && before !== after) this.#configure();
  }

  /** Read what the owner set for this site, in the visitor's language; {} when it cannot be read. */
  async #configure() {
    const { site, lang } = this;
    if (!site) return;
    const language = lang && lang !== "auto" ? lang : document.documentElement.lang || navigator.language;
    const hasNone = origin === "null";
    this.config = fetch(`${setup.base}/w/sites/${site}/config?lang=${language}`).then((answer) => answer.ok ? answer.json() : Promise.reject()).catch(() => {
      console.warn(`Corral: no chat. ${hasNone ? "A file or sandboxed frame cannot have one; use a web server." : `May ${origin} use ${site}?`}`);
      this.hidden = !hasNone;
      return {};
    });
    const { accent = "#1d6b57", launcher_label: label = "", theme } = await this.config;
    this.look.replaceSync(`:host{--corral-accent:${accent}}`);
    this.label.textContent = label;
    this.theme ??= theme ?? "auto";
    this.rename(this.name ?? (label || "Chat"));
    this.isReady = true;
    this.emit("ready");
    if (this.mode) this.open("quietly");
    // An answer was being written when the visitor left the last page.
    else if (recall(`corral:${site}`)?.isBusy) this.panel();
  }

  /** The panel, fetched once; after a lost line the next wish tries again. */
  panel() {
    this.#panel ??= import(`${setup.base}/w/${setup.version}/panel.js`)
      .then(({ openPanel }) => openPanel(this, setup))
      .catch((error) => {
        this.#panel = null;
        throw error;
      });
    return this.#panel;
  }

  async open(how) {
    if (!this.isOpen) await this.#turn(true, how);
  }

  async close() {
    if (this.isOpen && !this.mode) await this.#turn(false);
  }

  toggle() {
    return this.isOpen ? this.close() : this.open();
  }

  async #turn(isOpen, how) {
    this.isOpen = isOpen;
    this.button.setAttribute("aria-expanded", isOpen);
    const panel = await this.panel();
    const name = isOpen ? "open" : "close";
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

for (const name of ["site", "mode", "theme"]) {
  Object.defineProperty(CorralChat.prototype, name, {
    get() { return this.getAttribute(name); },
    set(value) { this.setAttribute(name, value); },
  });
}

function make(tag, attributes) {
  const node = document.createElement(tag);
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  return node;
}

/** What an earlier page of this visitor left here. */
function recall(key) {
  try {
    return JSON.parse(localStorage[key]);
  } catch {
    return null;
  }
}

/** Called once by the loader. given: {base, version, site, and the tag's data attributes}. */
export function start(given) {
  setup = given;
  const begin = () => {
    customElements.define("corral-chat", CorralChat);
    chat ??= make("corral-chat");
    for (const name of ["site", "lang", "theme", "mode", "launcher"]) if (given[name] && !chat.getAttribute(name)) chat.setAttribute(name, given[name]);
    if (chat.site && !chat.isConnected) document.body.append(chat);
    document.addEventListener("click", ({ target }) => target.closest?.("[data-chat-open]") && chat.open());
    Corral.wake = () => import(`${given.base}/w/${given.version}/commands.js`).then(({ run }) => run(chat, Corral));
    if (Corral.q.length) Corral.wake();
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
}
