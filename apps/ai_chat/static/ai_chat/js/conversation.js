/** The open conversation: turns of one question and one answer. */

import { Generation } from "./generation.js";

export const Delivery = Object.freeze({ PENDING: "pending", STORED: "stored" });

/**
 * One question and its answer. `request` is the frame that asked for this answer where the question
 * stayed as it was; `replaced` the turns that an edited question stands in place of, until it is stored.
 */
export class Turn {
  cid = null;
  id = null;
  answer = null;
  request = null;
  // <page>
  versions = null;
  replaced = [];
  // </page>

  /** given: {text, delivery}, and what else is known of cid, id, answer, versions, context. */
  constructor(given) {
    Object.assign(this, given);
  }

  /** A question on its way to the server. */
  static fromEntry({ cid, gen, conversation, text, context }) {
    const answer = new Generation({ gen, conversation });
    return new Turn({ cid, text, context, delivery: Delivery.PENDING, answer });
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
        const { id, text, context } = message;
        turns.push(new Turn({ id, text, context, delivery: Delivery.STORED }));
        // <page>
        turns.at(-1).versions = message.versions;
        // </page>
        continue;
      }
      if (turns.length === 0) turns.push(new Turn({ text: "", delivery: Delivery.STORED }));
      const running = message.generation && known.findTurn(message.generation)?.answer;
      const canKeep = running && message.state === "streaming" && running.lastSeq > 0;
      turns.at(-1).answer = canKeep ? running : Generation.fromMessage(message, json.id);
      // <page>
      turns.at(-1).answer.versions = message.versions ?? null;
      // </page>
    }
    return new Conversation(json.id, turns);
  }

  findTurn(gen) {
    return this.turns.find((turn) => turn.answer?.gen === gen) ?? null;
  }

  turnOf(answer) {
    return this.turns.find((turn) => turn.answer === answer) ?? null;
  }

  findByCid(cid) {
    return this.turns.find((turn) => turn.cid === cid) ?? null;
  }

  findAnswer(message) {
    return this.turns.find((turn) => turn.answer?.message === message)?.answer ?? null;
  }

  /** Take an unsent question away; what an edited one replaced comes back. */
  remove(turn) {
    // <page>
    this.turns.splice(this.turns.indexOf(turn), 0, ...turn.replaced);
    // </page>
    this.turns = this.turns.filter((other) => other !== turn);
  }

  /** Put a question on its way at the end, or in place of the message it is a new version of. */
  add(turn, edited) {
    // <page>
    const index = this.turns.findIndex(({ id }) => edited && id === edited);
    if (index !== -1) {
      turn.versions = nextVersion(this.turns[index]);
      turn.replaced = this.turns.splice(index);
    }
    // </page>
    this.turns.push(turn);
  }

  /** Give `turn` a new answer; what followed the old one belonged to it. */
  answerAgain(turn, answer) {
    // <page>
    if (turn.answer?.message) answer.versions = nextVersion({ id: turn.answer.message, versions: turn.answer.versions });
    // </page>
    turn.answer = answer;
    this.turns.splice(this.turns.indexOf(turn) + 1);
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

// <page>
/** One more version behind those there are; its id is not known yet. */
function nextVersion({ id, versions }) {
  return { ids: [...(versions?.ids ?? [id]), null] };
}

// </page>
function isShownToModel({ text, answer }) {
  return Boolean(answer?.text) && !/^\/pool(\s|$)/.test(text);
}
