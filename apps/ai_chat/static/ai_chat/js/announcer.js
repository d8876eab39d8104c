/** Speaks to screen readers: answers sentence by sentence, states once, errors at once. */

import { element } from "./dom.js";
import { keep, recall } from "./storage.js";
import { spoken, takeSentences } from "./sentences.js";

const READING_KEY = "corral:reading";
const PAUSE_MS = 2_000;
// Screen readers miss entries removed sooner than this.
const LINGER_MS = 1_000;
const MAX_WAITING = 3;

export class Announcer {
  #waiting = [];
  #timer = 0;
  #gen = null;
  #next = 0;
  #isBehind = false;

  /** log, status, alert: the three live regions, mounted from the start. */
  constructor({ log, status, alert }) {
    this.log = log;
    this.statusRegion = status;
    this.alertRegion = alert;
    this.mode = recall(READING_KEY, "live");
  }

  setMode(mode) {
    this.mode = mode;
    keep(READING_KEY, mode);
  }

  status(text) {
    put(this.statusRegion, text);
  }

  alert(text) {
    put(this.alertRegion, text);
  }

  /** The text of the running answer `gen` has grown. */
  grow(gen, text) {
    if (gen !== this.#gen) {
      this.#gen = gen;
      this.#next = 0;
      this.#isBehind = false;
    }
    if (this.mode !== "live" || this.#isBehind) return;
    const { sentences, next } = takeSentences(text, this.#next);
    this.#next = next;
    this.#waiting.push(...sentences);
    // An answer faster than speech is read when it is finished.
    this.#isBehind = this.#waiting.length > MAX_WAITING;
    this.#speak();
  }

  /** The answer ended: speak what has not been spoken yet, then `ending`. */
  finish(gen, text, ending) {
    const rest = gen === this.#gen ? text.slice(this.#next).trim() : text.trim();
    this.#gen = null;
    if (this.mode === "off") {
      this.#waiting = [];
      return;
    }
    this.#waiting = [[...this.#waiting, rest].filter(Boolean).join(" "), ending].filter(Boolean);
    this.#speak();
  }

  #speak() {
    if (this.#timer || this.#waiting.length === 0) return;
    put(this.log, spoken(this.#waiting.shift()));
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#speak();
    }, PAUSE_MS);
  }
}

function put(region, text) {
  const entry = element("p", {}, text);
  region.append(entry);
  setTimeout(() => entry.remove(), LINGER_MS);
}
