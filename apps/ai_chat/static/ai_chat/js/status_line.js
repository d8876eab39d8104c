/** The line under the assistant's name, and the bar for trouble with the connection. */

import { setText } from "./dom.js";
import { Link } from "./socket.js";
import { gettext } from "./texts.js";

const BAR_AFTER_MS = 1_500;
const ANNOUNCE_AFTER_MS = 3_000;
const POLL_MS = 4_000;
const POLL_BUSY_MS = 15_000;

// Asked for when a state is shown: the visitor's language may come after this module.
const links = () => ({
  connecting: gettext("Connecting"),
  reconnecting: gettext("Reconnecting"),
  offline: gettext("Offline"),
  refused: gettext("Not available"),
});
const barOf = (link) => ({
  online: "",
  offline: gettext("You're offline. Messages will be sent when you're back."),
  refused: gettext("The chat is not available here. Please reload the page."),
}[link] ?? `${links()[link]}\u2026`);
const pools = () => {
  const [online, busy, loading] = [gettext("Online"), gettext("Busy"), gettext("Starting up the model")];
  const [none, soon] = [gettext("No model yet"), gettext("Back soon")];
  return {
    ok: online, ready: online, busy, degraded: busy, loading, starting: loading,
    no_model: none, failed: none, draining: soon, down: soon, paused: soon,
  };
};
/** States in which there is nothing to wait for. */
export const FINE = new Set(["ok", "ready"]);
const BUSY = new Set(["busy", "degraded"]);

export class StatusLine {
  #link = Link.CONNECTING;
  #pool = "ok";
  #bar = "";
  #banner = "";
  #barTimer = 0;
  #sayTimer = 0;
  #pollTimer = 0;

  /** parts: {box, text, bar, barText}; readPool: async () => pool state (null: not known); announcer. */
  constructor(parts, readPool, announcer) {
    this.parts = parts;
    this.readPool = readPool;
    this.announcer = announcer;
    this.setLink(Link.CONNECTING);
  }

  setLink(link) {
    this.#link = link;
    this.#draw();
  }

  /** What the server says about the pool; anything but fine is asked for again. */
  setPool(state) {
    clearTimeout(this.#pollTimer);
    if (state in pools()) this.#pool = state;
    this.#draw();
    if (FINE.has(this.#pool)) return;
    this.#pollTimer = setTimeout(() => this.#poll(), BUSY.has(this.#pool) ? POLL_BUSY_MS : POLL_MS);
  }

  /** A sentence of those who run the site, shown while there is nothing more urgent to say. */
  setBanner(text) {
    this.#banner = text;
    this.parts.barText.dir = "auto";
    this.#draw();
  }

  async #poll() {
    if (this.#link !== Link.ONLINE || document.hidden) {
      this.setPool(this.#pool);
      return;
    }
    this.setPool(await this.readPool());
  }

  #draw() {
    const isOnline = this.#link === Link.ONLINE;
    const { box, text } = this.parts;
    box.dataset.state = isOnline ? this.#pool : this.#link;
    setText(text, isOnline ? pools()[this.#pool] : links()[this.#link]);
    const isUpdating = this.#pool === "draining" && (isOnline || this.#link === Link.RECONNECTING);
    this.#drawBar(isUpdating ? gettext("Updating. Back in about a minute.") : barOf(this.#link) || this.#banner);
  }

  #drawBar(text) {
    if (text === this.#bar) return;
    this.#bar = text;
    clearTimeout(this.#barTimer);
    clearTimeout(this.#sayTimer);
    if (text === "") {
      this.parts.bar.hidden = true;
      return;
    }
    this.#barTimer = setTimeout(() => {
      setText(this.parts.barText, text);
      this.parts.bar.hidden = false;
    }, BAR_AFTER_MS);
    this.#sayTimer = setTimeout(() => this.announcer.status(text), ANNOUNCE_AFTER_MS);
  }
}
