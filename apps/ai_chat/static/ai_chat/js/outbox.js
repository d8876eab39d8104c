/** Messages the server has not confirmed yet; they survive a reload and go out again. */

import { keep, recall } from "./storage.js";

const KEY = "corral:outbox";

export class Outbox {
  constructor() {
    this.entries = recall(KEY, []);
  }

  /** entry: {cid, gen, conversation (null for a new one), text}. */
  add(entry) {
    this.entries.push(entry);
    this.#save();
  }

  find(cid) {
    return this.entries.find((entry) => entry.cid === cid) ?? null;
  }

  remove(cid) {
    this.entries = this.entries.filter((entry) => entry.cid !== cid);
    this.#save();
  }

  #save() {
    keep(KEY, this.entries.length ? this.entries : null);
  }
}
