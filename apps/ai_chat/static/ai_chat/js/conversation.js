/** The open conversation: turns of one question and one answer. */

import { Generation } from "./generation.js";

export const Delivery = Object.freeze({ PENDING: "pending", STORED: "stored" });

/** One question and its answer. `regenerate` is the frame that asked for this answer again. */
export class Turn {
  constructor({ cid = null, id = null, text, delivery, answer = null }) {
    this.cid = cid;
    this.id = id;
    this.text = text;
    this.delivery = delivery;
    this.answer = answer;
    this.regenerate = null;
  }

  /** A question on its way to the server. */
  static fromEntry({ cid, gen, conversation, text }) {
    const answer = new Generation({ gen, conversation });
    return new Turn({ cid, text, delivery: Delivery.PENDING, answer });
  }
}

export class Conversation {
  constructor(id = null, turns = []) {
    this.id = id;
    this.turns = turns;
  }

  /** `known`: the conversation as shown so far; its running answers keep what they have. */
  static fromJson(json, known = new Conversation()) {
    const turns = [];
    for (const message of json.messages) {
      if (message.role === "user") {
        turns.push(new Turn({ id: message.id, text: message.text, delivery: Delivery.STORED }));
        continue;
      }
      if (turns.length === 0) turns.push(new Turn({ text: "", delivery: Delivery.STORED }));
      const running = message.generation && known.findTurn(message.generation)?.answer;
      const canKeep = running && message.state === "streaming" && running.lastSeq > 0;
      turns.at(-1).answer = canKeep ? running : Generation.fromMessage(message, json.id);
    }
    return new Conversation(json.id, turns);
  }

  findTurn(gen) {
    return this.turns.find((turn) => turn.answer?.gen === gen) ?? null;
  }

  findByCid(cid) {
    return this.turns.find((turn) => turn.cid === cid) ?? null;
  }

  remove(turn) {
    this.turns = this.turns.filter((other) => other !== turn);
  }

  get lastTurn() {
    return this.turns.at(-1) ?? null;
  }

  get liveTurn() {
    return this.turns.findLast((turn) => turn.answer?.isLive) ?? null;
  }

  /**
   * How many turns stand before the divider: those the model no longer sees, counted as the server
   * counts them, without commands and without questions that got no answer.
   */
  get numForgotten() {
    const latest = this.turns.findLast((turn) => turn.answer?.trimmedTurns || !turn.answer?.isLive);
    let left = latest?.answer?.trimmedTurns ?? 0;
    if (left === 0) return 0;
    const end = this.turns.findIndex((turn) => isShownToModel(turn) && --left === 0);
    return end === -1 ? this.turns.length - 1 : Math.min(end + 1, this.turns.length - 1);
  }
}

function isShownToModel({ text, answer }) {
  return Boolean(answer?.text) && !/^\/pool(\s|$)/.test(text);
}
