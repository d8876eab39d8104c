/** One answer as the frames of chat.v1 tell it: a pure reducer without DOM, clock or network. */

import { clipPoints, countPoints } from "./codepoints.js";

export const Phase = Object.freeze({
  SENDING: "sending",
  QUEUED: "queued",
  LOADING: "loading",
  PREPARING: "preparing",
  STREAMING: "streaming",
  DONE: "done",
  FAILED: "failed",
});

export const Outcome = Object.freeze({ APPLIED: "applied", IGNORED: "ignored", GAP: "gap" });

const TERMINAL = new Set([Phase.DONE, Phase.FAILED]);

export class Generation {
  constructor({ gen, conversation = null, message = null }) {
    this.gen = gen;
    this.conversation = conversation;
    this.message = message;
    this.phase = Phase.SENDING;
    this.lastSeq = 0;
    this.numGaps = 0;
    this.text = "";
    this.length = 0;
    this.queue = null;
    this.progress = null;
    this.notices = [];
    this.isStopping = false;
    this.isStalled = false;
    this.frozenLength = null;
    this.done = null;
    this.error = null;
  }

  /** An answer as the REST interface stores it. A streaming one starts empty and is replayed. */
  static fromMessage(message, conversation) {
    const generation = new Generation({ gen: message.generation, conversation, message: message.id });
    if (message.state === "streaming" && message.generation) return generation;
    generation.text = message.text;
    generation.length = countPoints(message.text);
    if (message.trimmed_turns) {
      generation.notices.push({ code: "context_trimmed", turns: message.trimmed_turns });
    }
    if (message.error || message.state === "failed") {
      generation.phase = Phase.FAILED;
      generation.error = message.error ?? { code: "internal", text: "" };
    } else {
      generation.phase = Phase.DONE;
      generation.done = {
        reason: storedReason(message),
        usage: message.usage ?? null,
        timing: message.timing ?? null,
      };
    }
    return generation;
  }

  get isLive() {
    return !TERMINAL.has(this.phase);
  }

  /** The text to show: frozen at the point where the visitor pressed Stop. */
  get shownText() {
    return this.frozenLength === null ? this.text : clipPoints(this.text, this.frozenLength);
  }

  get trimmedTurns() {
    return this.notices.findLast((notice) => notice.code === "context_trimmed")?.turns ?? 0;
  }

  /** Freeze the text now; the server is told how much was seen. */
  freeze() {
    this.isStopping = true;
    this.frozenLength = this.length;
  }

  /** Take one frame. GAP means frames are missing: ask again from `lastSeq`. */
  apply(frame) {
    if (frame.type === "gen.snapshot") return this.#applySnapshot(frame);
    if (frame.seq === undefined) return this.#applyEphemeral(frame);
    if (frame.seq <= this.lastSeq) return Outcome.IGNORED;
    if (frame.seq > this.lastSeq + 1 || !this.#applyDurable(frame)) {
      this.numGaps += 1;
      return Outcome.GAP;
    }
    this.lastSeq = frame.seq;
    this.numGaps = 0;
    return Outcome.APPLIED;
  }

  /** False when the frame does not fit behind the text we have. */
  #applyDurable(frame) {
    switch (frame.type) {
      case "gen.created":
        this.message = frame.message ?? this.message;
        this.conversation = frame.conversation ?? this.conversation;
        break;
      case "gen.started":
        this.#enter(Phase.PREPARING);
        break;
      case "gen.delta":
        if (frame.off !== undefined && frame.off !== this.length) return false;
        this.text += frame.text;
        this.length += countPoints(frame.text);
        this.isStalled = false;
        if (frame.text !== "") this.#enter(Phase.STREAMING);
        break;
      case "gen.reset":
        this.text = clipPoints(this.text, frame.to_off);
        this.length = countPoints(this.text);
        break;
      case "gen.notice":
        this.notices.push(frame);
        break;
      case "gen.done":
        if (frame.chars !== undefined) {
          this.text = clipPoints(this.text, frame.chars);
          this.length = countPoints(this.text);
          if (this.length !== frame.chars) return false;
        }
        this.done = frame;
        this.#finish(Phase.DONE);
        break;
      case "gen.error":
        this.error = frame;
        this.#finish(Phase.FAILED);
        break;
      default:
        break; // A frame of a later server still has its place in the numbering.
    }
    return true;
  }

  #applyEphemeral(frame) {
    if (!this.isLive) return Outcome.IGNORED;
    if (frame.type === "gen.queue") {
      if (this.phase === Phase.PREPARING || this.phase === Phase.STREAMING) return Outcome.IGNORED;
      this.queue = frame;
      this.#enter(Phase.QUEUED);
    } else if (frame.type === "gen.progress") {
      if (this.phase === Phase.STREAMING) {
        // The pool went away in the middle of the answer and is coming back.
        this.isStalled = true;
        return Outcome.APPLIED;
      }
      this.progress = frame;
      this.#enter(frame.phase === "load" ? Phase.LOADING : Phase.PREPARING);
    } else if (frame.type === "gen.stall") {
      this.isStalled = true;
    } else {
      return Outcome.IGNORED;
    }
    return Outcome.APPLIED;
  }

  #applySnapshot(frame) {
    this.text = frame.text ?? "";
    this.length = countPoints(this.text);
    this.lastSeq = frame.upto ?? this.lastSeq;
    this.message = frame.message ?? this.message;
    this.notices = frame.notices ?? this.notices;
    this.numGaps = 0;
    if (frame.state === "streaming") {
      if (this.text !== "") this.#enter(Phase.STREAMING);
    } else if (frame.code || frame.state === "failed") {
      this.error = { code: frame.code || "internal", text: "" };
      this.#finish(Phase.FAILED);
    } else {
      this.done = { reason: storedReason(frame), usage: null, timing: null };
      this.#finish(Phase.DONE);
    }
    return Outcome.APPLIED;
  }

  #enter(phase) {
    if (this.isLive) this.phase = phase;
  }

  #finish(phase) {
    this.phase = phase;
    this.isStopping = false;
    this.isStalled = false;
    this.frozenLength = null;
  }
}

function storedReason({ state, reason }) {
  if (reason) return reason;
  if (state === "interrupted") return "interrupted";
  return state === "stopped" ? "user_stop" : "stop";
}
