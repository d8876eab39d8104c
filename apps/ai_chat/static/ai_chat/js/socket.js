/** The chat socket: hello and welcome, heartbeat, and coming back by itself after every loss. */

export const Link = Object.freeze({
  CONNECTING: "connecting",
  ONLINE: "online",
  RECONNECTING: "reconnecting",
  OFFLINE: "offline",
  REFUSED: "refused",
});

const PING_EVERY_MS = 20_000;
const SILENCE_MS = 45_000;
const WELCOME_WITHIN_MS = 6_000;
const MISSES_TO_FALL_BACK = 2;
const TRY_AGAIN_LATER = 4429;
const REPLACED = 4409;
const NOT_RECOGNISED = 4401;
// Another attempt cannot change these: blocked, unknown site, wrong protocol version.
const FATAL = new Set([4403, 4404, 4406]);

/** Full jitter: somewhere between 0 and 0.5 s * 2^attempt, at most 30 s. */
export function retryDelay(attempt, random = Math.random) {
  return Math.round(random() * Math.min(30_000, 500 * 2 ** attempt));
}

export class Connection {
  #socket = null;
  #attempt = 0;
  #retryAfterMs = 0;
  #retryTimer = 0;
  #welcomeTimer = 0;
  #pingTimer = 0;
  #numPings = 0;
  #lastFrameAt = 0;
  #wasReplaced = false;
  #numRefusals = 0;
  #numMisses = 0;

  state = Link.CONNECTING;

  /**
   * given: {url: address of the socket; hello: () => first frame; isBusy: () => an answer is running;
   * onFrame(frame), onLink(state): called for every frame and change of state; fallback: () => what
   * makes a line that looks like a socket, for networks where no socket is ever welcomed, or nothing}.
   */
  constructor(given) {
    Object.assign(this, given);
  }

  start() {
    addEventListener("online", () => this.wake());
    addEventListener("offline", () => this.#drop(Link.OFFLINE));
    addEventListener("pageshow", (event) => event.persisted && this.wake());
    addEventListener("pagehide", () => this.#drop(Link.RECONNECTING));
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
    this.#pingTimer = setInterval(() => this.#beat(), PING_EVERY_MS);
    this.#open();
  }

  get isOnline() {
    return this.state === Link.ONLINE;
  }

  /** Send one frame; false when there is no line to send it on. */
  send(frame) {
    if (!this.isOnline) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Connect now if there is no connection; a sleeping one is asked for a sign of life. */
  wake() {
    if (this.state === Link.REFUSED) return;
    this.#wasReplaced = false;
    if (this.#socket !== null) {
      if (this.isOnline) this.#beat();
      return;
    }
    this.#attempt = 0;
    this.#open();
  }

  /** Begin again, as somebody else perhaps: the next hello decides. */
  restart() {
    this.#detach();
    this.#numRefusals = 0;
    this.#attempt = 0;
    this.#enter(Link.CONNECTING);
    this.#open();
  }

  /** For good: nothing is said about it, and nothing wakes it. */
  end() {
    this.onLink = () => {};
    this.#drop(Link.REFUSED);
  }

  #open() {
    clearTimeout(this.#retryTimer);
    if (this.#socket !== null) return;
    if (navigator.onLine === false) {
      this.#enter(Link.OFFLINE);
      return;
    }
    const socket = this.#newLine();
    this.#socket = socket;
    this.#welcomeTimer = setTimeout(() => this.#lose(socket), WELCOME_WITHIN_MS);
    socket.onopen = () => socket.send(JSON.stringify(this.hello()));
    socket.onmessage = (event) => this.#receive(socket, event.data);
    socket.onclose = (event) => this.#lose(socket, event.code);
  }

  #newLine() {
    // Asked for from the first miss on: it may have to be fetched.
    const makeLine = this.#numMisses > 0 && this.fallback();
    const isFallback = makeLine && this.#numMisses >= MISSES_TO_FALL_BACK;
    // The next attempt after the fallback is a socket again.
    this.#numMisses = isFallback ? 0 : this.#numMisses + 1;
    return isFallback ? makeLine() : new WebSocket(this.url, ["chat.v1"]);
  }

  #receive(socket, data) {
    if (socket !== this.#socket) return;
    this.#lastFrameAt = performance.now();
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame.type === "welcome") {
      clearTimeout(this.#welcomeTimer);
      this.#attempt = 0;
      this.#retryAfterMs = 0;
      this.#numRefusals = 0;
      if (socket instanceof WebSocket) this.#numMisses = 0;
      this.#enter(Link.ONLINE);
    }
    if (frame.type === "bye" && frame.retry_after_s) this.#retryAfterMs = 1000 * frame.retry_after_s;
    this.onFrame(frame);
  }

  #beat() {
    if (!this.isOnline) return;
    const silence = performance.now() - this.#lastFrameAt;
    // Timers of hidden pages run once a minute, so silence means nothing there.
    if (silence > SILENCE_MS && !document.hidden) {
      this.#lose(this.#socket);
      return;
    }
    this.#numPings += 1;
    this.send({ type: "ping", n: this.#numPings });
  }

  #lose(socket, code = 1006) {
    if (socket !== this.#socket) return;
    this.#detach();
    this.#numRefusals += code === NOT_RECOGNISED ? 1 : 0;
    if (FATAL.has(code) || this.#numRefusals > 1) {
      this.#enter(Link.REFUSED);
      return;
    }
    this.#wasReplaced = code === REPLACED;
    if (code === TRY_AGAIN_LATER) this.#retryAfterMs = Math.max(this.#retryAfterMs, 5_000);
    this.#enter(navigator.onLine === false ? Link.OFFLINE : Link.RECONNECTING);
    // A page nobody looks at comes back when it is looked at again.
    const isWanted = this.isBusy() || !document.hidden;
    if (this.state === Link.OFFLINE || this.#wasReplaced || !isWanted) return;
    this.#retryTimer = setTimeout(() => this.#open(), this.#retryAfterMs + retryDelay(this.#attempt));
    this.#attempt += 1;
  }

  #drop(state) {
    if (this.state === Link.REFUSED) return;
    this.#detach();
    clearTimeout(this.#retryTimer);
    this.#enter(state);
  }

  #detach() {
    clearTimeout(this.#welcomeTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.onLink(state);
  }
}
