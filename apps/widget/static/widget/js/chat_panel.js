/** The panel: puts the shared views of the chat into the widget's frame and tells the host page. */

import { Announcer } from "../../ai_chat/js/announcer.js";
import { Chat } from "../../ai_chat/js/chat.js";
import { Composer } from "../../ai_chat/js/composer.js";
import { Conversation } from "../../ai_chat/js/conversation.js";
import { element } from "../../ai_chat/js/dom.js";
import { Narrator } from "../../ai_chat/js/narrator.js";
import { Outbox } from "../../ai_chat/js/outbox.js";
import { ScrollKeeper } from "../../ai_chat/js/scroll_keeper.js";
import { Connection, Link } from "../../ai_chat/js/socket.js";
import { scopeStorage } from "../../ai_chat/js/storage.js";
import { FINE, StatusLine } from "../../ai_chat/js/status_line.js";
import { direction, gettext, language } from "../../ai_chat/js/texts.js";
import { Transcript } from "../../ai_chat/js/transcript.js";
import { Consent } from "./consent.js";
import { buildFrame } from "./frame.js";
import { Identity } from "./identity.js";
import { drawLogo } from "./logo.js";
import { OptionsSheet } from "./options_sheet.js";
import { PageFacts } from "./page_facts.js";
import { scrollByKey } from "./reading_keys.js";
import { Remote } from "./remote.js";
import { WindowShape } from "./window_shape.js";

const IDENTIFY_WITHIN_MS = 30_000;

export class ChatPanel {
  #hasStarted = false;
  #isAwaited = false; // The last page was left while an answer was being written.
  #ofUser = null;
  #state = "closed";
  #unknown = new Set();
  #waiting = [];
  #makeLine = null;

  constructor(host, { base, version, context }, config) {
    Object.assign(this, { host, config, version });
    // Another chat of this origin keeps its own drafts.
    scopeStorage(host.site);
    const parts = (this.parts = buildFrame(config));
    const { dialog, frame } = parts;
    frame.dir = direction();
    frame.lang = language();
    host.button.setAttribute("aria-controls", "panel");
    host.rename(host.label.textContent || gettext("Open the chat"));
    this.identity = new Identity(host.site, () => this.#beginAgain());
    this.remote = new Remote(base, this.identity);
    this.shape = new WindowShape(dialog, { isEmbedded: Boolean(host.mode) });
    this.announcer = new Announcer({ log: parts.log, status: parts.state, alert: parts.alert });
    const narrator = new Narrator(this.announcer);
    const keeper = new ScrollKeeper(parts.scroller, parts.jump);
    this.facts = new PageFacts(parts.context, config.reads_page, () => this.#hasStarted && this.connection.restart());
    this.facts.read(context);
    this.composer = new Composer(
      { form: parts.form, text: parts.text, button: parts.send, count: parts.count, notice: parts.notice },
      { onSend: (text) => this.submit(text), onStop: () => this.chat.stop(), onKey: (event) => scrollByKey(event, this.composer, keeper) },
      config.limits?.max_chars ?? 2000,
    );
    const transcript = new Transcript(parts.transcript, keeper, {
      onStop: (answer) => this.chat.stop(answer),
      onRetry: (answer) => this.chat.retry(answer),
      onProceed: (answer) => this.chat.proceed(answer),
      onAsk: (text) => this.chat.ask(text),
      onRate: (answer, given) => this.chat.rate(answer, given),
      onView: (answer, view) => narrator.observe(answer, view),
      isOnline: () => this.connection.isOnline,
    });
    this.statusLine = new StatusLine(
      { box: parts.status, text: parts.statusText, bar: parts.bar, barText: parts.barText }, async () => this.connection.send({ type: "pool.watch", every_ms: 5_000 }) && null, this.announcer,
    );
    this.chat = new Chat({
      api: this.remote,
      outbox: new Outbox(),
      views: {
        transcript, narrator, composer: this.composer, statusLine: this.statusLine, announcer: this.announcer,
        onOpened: (id) => this.#moveTo(id, "open"),
        onNamed: (id) => this.#moveTo(id, "rename"),
        onChanged: (conversation) => this.#changed(conversation),
      },
    });
    this.connection = new Connection({
      url: `${base.replace(/^http/, "ws")}/ws/chat/`,
      hello: () => this.#hello(),
      isBusy: () => this.chat.isBusy,
      onFrame: (frame) => this.#receive(frame),
      onLink: (link) => this.#linkChanged(link),
      fallback: () => {
        import(`${base}/w/${version}/line.js`).then(({ PostLine }) => (this.#makeLine = () => this.#newLine(PostLine)), () => {});
        return this.#makeLine;
      },
    });
    this.chat.connection = this.connection;
    this.sheet = new OptionsSheet(parts, {
      announcer: this.announcer, site: config, remote: this.remote,
      onErase: () => this.#forget(),
      onOpenPage: () => this.remote.handOver(this.chat.conversation.id ?? undefined),
    });
    this.consent = new Consent(parts, {
      notice: config.consent, identity: this.identity, announcer: this.announcer,
      onAgreed: () => {
        this.host.emit("consent", { agreed: true });
        parts.form.requestSubmit();
      },
    });
    this.#listen();
    host.shadowRoot.append(dialog);
    this.#isAwaited = this.identity.isBusy;
    const { token, conversation } = this.identity;
    // What a user of the page wrote is theirs to see only once the page has said who they are.
    if (!token) this.#ofUser = conversation;
    this.chat.open(token ? conversation : null);
    if (this.chat.isBusy || (token && this.#isAwaited)) this.#start();
    if (config.has_logo) drawLogo(parts.logo, `${base}/w/sites/${host.site}/logo?v=${config.logo_version}`);
  }

  // What the host element asks for

  open(how) {
    this.shape.open();
    this.#start();
    this.#readAll();
    if (this.#hasStarted) this.connection.wake();
    this.chat.warm();
    if (how === "quietly") return;
    if (matchMedia("(pointer: fine)").matches) this.composer.focus();
    else this.parts.title.focus({ preventScroll: true });
  }

  close() {
    const hadFocus = this.parts.dialog.contains(this.host.shadowRoot.activeElement);
    this.sheet.toggle(false);
    this.shape.close();
    if (hadFocus) this.host.button.focus();
  }

  /** Commands of the host page that need the panel. */
  async obey(name, [value, options = {}], isGesture) {
    const commands = {
      ask: async () => {
        await this.host.open();
        if (options.send && isGesture) this.submit(value);
        else this.composer.giveBack(value);
      },
      new: () => this.#new(),
      stop: () => this.chat.stop(),
      context: () => this.facts.set(value),
      identify: () => this.#identify(value),
      shutdown: () => {
        this.identity.forget();
        this.#beginAgain();
      },
      forget: () => this.#forget(),
    };
    if (commands[name]) return commands[name]();
    if (!this.#unknown.has(name)) console.warn(`Corral: there is no method "${name}".`);
    this.#unknown.add(name);
    return undefined;
  }

  /** A message of the visitor; before the first one the owner's notice may have to be agreed to. */
  submit(text) {
    if (this.config.needs_consent && !this.consent.isAgreed) {
      this.composer.giveBack(text);
      this.consent.ask();
      this.host.emit("consent", { agreed: false });
      return;
    }
    this.#start();
    this.chat.send(text, this.facts.forQuestion);
  }

  // What happens on the line

  #start() {
    if (this.#hasStarted) return;
    if (origin === "null") {
      this.#goAway(gettext("The chat needs a web server; this page is only a file."));
      return;
    }
    this.#hasStarted = true;
    this.connection.start();
  }

  #hello() {
    const { token, userJwt } = this.identity;
    return {
      ...this.chat.helloFrame(),
      site: this.host.site,
      token,
      user_jwt: userJwt ?? undefined,
      client: { name: "widget", ver: this.version },
      page: this.facts.page && { ...this.facts.page, ...this.host.page },
    };
  }

  /** Where no socket is let through. */
  #newLine(PostLine) {
    const { base } = this.remote;
    return new PostLine({ base, headers: () => this.remote.headers, query: `lang=${language()}&site=${this.host.site}` });
  }

  #receive(frame) {
    // Where the pool is nobody's business, its state simply stays as the welcome said it.
    if (frame.type === "error" && frame.ref === "pool.watch") return;
    this.chat.receive(frame);
    // Behind it, so that token and conversation are stored at once: other tabs read them then.
    this.identity.observe(frame);
    const answered = () => this.#answered(frame);
    ({
      welcome: () => this.#welcomed(frame),
      identified: () => this.#identified(),
      "message.ack": () => this.host.emit("message", { role: "user", conversation: frame.conversation, message: frame.message }),
      "conversation.updated": () => this.#readElsewhere(frame.conversation),
      "gen.queue": () => this.host.emit("queue", { position: frame.position, eta_s: frame.eta_s }),
      "gen.done": answered,
      "gen.error": answered,
      "pool.stats": () => {
        this.statusLine.setPool(frame.state);
        if (FINE.has(frame.state)) this.connection.send({ type: "pool.unwatch" });
      },
      error: () => this.#refused(frame),
    })[frame.type]?.();
  }

  #welcomed({ site, user }) {
    if (site?.is_on === false) this.#goAway(this.config.away || gettext("The chat is closed at the moment."));
    else this.#comeBack();
    const { userJwt } = this.identity;
    if (userJwt && user) this.#identified();
    // The page said it between our hello and the welcome.
    else if (userJwt) this.connection.send({ type: "identify", user_jwt: userJwt });
  }

  #refused({ code, ref, text }) {
    this.host.emit("error", { code });
    if (code === "unauthorised") {
      if (ref === "identify" || this.identity.userJwt) {
        console.warn(`Corral: ${text}`);
        this.identity.userJwt = null;
        for (const { reject } of this.#waiting.splice(0)) reject(new Error(text));
        if (ref === "identify") return;
      }
      // The key is too old or not ours: the next hello begins as nobody.
      this.identity.forget();
      this.chat.open(null);
    } else if (code === "origin_not_allowed" || code === "unknown_site") {
      console.warn(`Corral: ${text}`);
      this.#goAway(gettext("The chat is not available on this page."));
    }
  }

  #answered({ gen, type }) {
    const answer = this.chat.conversation.findTurn(gen)?.answer;
    const message = answer?.message ?? null;
    this.host.emit("message", { role: "assistant", conversation: answer?.conversation ?? null, message, is_error: type === "gen.error" });
    if (this.host.isOpen && !document.hidden) this.#tellRead();
    else this.#countUnread();
  }

  #countUnread() {
    this.host.setUnread(this.host.unread + 1, gettext("New reply in chat"));
  }

  /** What is shown has been read, in every tab. */
  #readAll() {
    if (this.host.unread === 0) return;
    this.host.setUnread(0);
    this.#tellRead();
  }

  #readElsewhere({ id, num_unread: unread }) {
    if (id === this.chat.conversation.id && unread === 0) this.host.setUnread(0);
  }

  #tellRead() {
    const { id, lastTurn } = this.chat.conversation;
    if (id && lastTurn?.answer?.message) this.connection.send({ type: "read", conversation: id, message: lastTurn.answer.message });
  }

  #linkChanged(link) {
    this.chat.linkChanged(link);
    if (link === Link.REFUSED && this.parts.away.hidden) this.#goAway(gettext("The chat is not available here. Please reload the page."));
    this.#tellState();
  }

  // Who the visitor is

  #identify(jwt) {
    this.identity.userJwt = jwt;
    this.#start();
    if (this.connection.isOnline) this.connection.send({ type: "identify", user_jwt: jwt });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      setTimeout(() => reject(new Error("The chat server did not answer.")), IDENTIFY_WITHIN_MS);
    });
  }

  #identified() {
    this.identity.becomeUser();
    if (this.#ofUser !== null && this.chat.conversation.id === null) this.chat.open(this.#ofUser);
    this.#ofUser = null;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  async #forget() {
    if (this.remote.isKnown) await this.remote.eraseChats();
    this.identity.forget();
    this.#beginAgain();
  }

  /** As somebody else, or nobody, from now on. */
  #beginAgain() {
    this.host.setUnread(0);
    this.#ofUser = null;
    this.chat.open(this.identity.conversation);
    if (this.#hasStarted) this.connection.restart();
  }

  // What is shown

  #new() {
    this.sheet.toggle(false);
    this.chat.open(null);
    this.composer.focus();
  }

  #moveTo(id, how) {
    this.composer[how](id);
    this.identity.note({ conversation: id });
    this.host.conversation = id;
  }

  #changed({ id, turns, liveTurn }) {
    const isEmpty = turns.length === 0;
    this.parts.empty.hidden = !isEmpty || id !== null;
    this.parts.skeleton.hidden = !isEmpty || id === null;
    if (!isEmpty || id === null) this.identity.note({ isBusy: liveTurn !== null });
    if (this.#isAwaited && !isEmpty) {
      this.#isAwaited = false;
      if (liveTurn === null) this.#countUnread();
    }
    this.#tellState();
  }

  #tellState() {
    const state = this.connection?.isOnline ? (this.chat.conversation.liveTurn?.answer.phase ?? "idle") : (this.connection?.state ?? "closed");
    if (state === this.#state) return;
    this.#state = this.host.state = state;
    this.host.emit("state", { state });
  }

  /** Nothing can be written now; what was written can still be read. */
  #goAway(sentence) {
    const { away, form, starters } = this.parts;
    const { contact } = this.config;
    away.replaceChildren(sentence);
    if (contact) away.append(" ", element("a", { href: `mailto:${contact}` }, contact));
    if (away.hidden) this.announcer.status(sentence);
    away.hidden = false;
    form.hidden = starters.hidden = true;
  }

  #comeBack() {
    this.parts.away.hidden = true;
    this.parts.form.hidden = false;
    this.parts.starters.hidden = this.parts.starters.children.length === 0;
  }

  #listen() {
    const { dialog, fresh, close, wider, starters, text } = this.parts;
    fresh.onclick = () => this.#new();
    close.onclick = () => this.host.close();
    wider.onclick = () => wider.ariaPressed = dialog.classList.toggle("panel--wide");
    starters.addEventListener("click", ({ target }) => {
      const starter = target.closest(".starter");
      if (starter) this.submit(starter.textContent);
    });
    text.addEventListener("focus", () => this.chat.warm());
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#leave();
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      this.#leave();
    });
    document.addEventListener("visibilitychange", () => !document.hidden && this.host.isOpen && this.#readAll());
    this.host.addEventListener("corral:unread", ({ detail }) => this.#countInTitle(detail.unread));
    this.host.addEventListener("corral:change", () => this.#makeRoom(), { once: true });
  }

  /** Unread answers are counted before the page's title too, where the page wants that. */
  #countInTitle(unread) {
    if (this.host.getAttribute("unread") !== "title") return;
    document.title = (unread ? `(${unread}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  }

  /** The page chose another language or site: a panel in it takes the place of this one. */
  async #makeRoom() {
    const { host } = this;
    this.#hasStarted = false;
    this.connection.end();
    this.chat.views.transcript.show(new Conversation());
    this.shape.close();
    this.parts.dialog.remove();
    host.built = null;
    const successor = await host.panel();
    if (host.isOpen) successor.open("quietly");
  }

  #leave() {
    if (this.sheet.isOpen) this.sheet.toggle(false);
    else this.host.close();
  }
}
