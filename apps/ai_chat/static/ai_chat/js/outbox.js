/** Messages the server has not confirmed yet; they survive a reload and go out again. */

import { keep, recall } from "./storage.js";

const KEY = "corral:outbox";

/** The frame that sends an entry: a new question, or a new version of one. */
export function frameOf({ cid, gen, conversation, text, context, message }) {
  // <page>
  if (message) return { type: "message.edit", cid, gen, text, message };
  // </page>
  return { type: "message.send", cid, gen, text, conversation: conversation ?? undefined, context };
}

export class Outbox {
  constructor() {
    this.entries = recall(KEY, []);
  }

  /** entry: {cid, gen, conversation (null for a new one), text, context?, message? (that it edits)}. */
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

  // <page>
  clear() {
    this.entries = [];
    this.#save();
  }

  // </page>
  #save() {
    keep(KEY, this.entries.length ? this.entries : null);
  }
}
