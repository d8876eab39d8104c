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
/** Ends that leave something to say. */
export const OPEN_ENDS = new Set(["length", "user_stop", "deadline", "memory", "shutdown", "interrupted"]);

export class Generation {
  #awaitsOldText = false;

  conversation = null;
  message = null;
  phase = Phase.SENDING;
  lastSeq = 0;
  text = "";
  length = 0;
  blocks = [];
  queue = null;
  progress = null;
  notices = [];
  isStopping = false;
  isStalled = false;
  frozenLength = null;
  done = null;
  error = null;
  // <page>
  versions = null;
  // </page>
  feedback = null;
  mayContinue = false;

  /** given: {gen, conversation?, message?}. */
  constructor(given) {
    Object.assign(this, given);
  }

  /** An answer as the REST interface stores it. A streaming one starts empty and is replayed. */
  static fromMessage(message, conversation) {
    const generation = new Generation({ gen: message.generation, conversation, message: message.id });
    // <page>
    generation.versions = message.versions ?? null;
    // </page>
    generation.feedback = message.feedback ?? null;
    if (message.state === "streaming" && message.generation) return generation;
    generation.mayContinue = message.can_continue ?? false;
    generation.#setText(message.text);
    if (message.nodes) generation.blocks = [{ from_off: 0, to_off: generation.length, nodes: message.nodes }];
    generation.notices = storedNotices(message);
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

  /** The same answer, going on as `gen`; what is there stays in view until the server repeats it. */
  static continuing(answer, gen) {
    const generation = new Generation({ gen, conversation: answer.conversation, message: answer.message });
    generation.#setText(answer.text);
    generation.blocks = answer.blocks;
    // <page>
    generation.versions = answer.versions;
    // </page>
    return generation;
  }

  get isLive() {
    return !TERMINAL.has(this.phase);
  }

  get canContinue() {
    if (this.isLive || this.length === 0) return false;
    return this.mayContinue || OPEN_ENDS.has(this.done?.reason) || this.error?.code === "interrupted";
  }

  /** The text to show: frozen at the point where the visitor pressed Stop. */
  get shownText() {
    return this.frozenLength === null ? this.text : clipPoints(this.text, this.frozenLength);
  }

  /** The finished Markdown to show: blocks in order. */
  get shownBlocks() {
    return this.frozenLength === null ? this.blocks : this.blocks.filter((block) => block.to_off <= this.frozenLength);
  }

  /** What stands behind the last finished block: not Markdown yet. */
  get shownTail() {
    const text = this.shownText;
    const last = this.shownBlocks.at(-1);
    return last ? text.slice(clipPoints(text, last.to_off).length) : text;
  }

  get trimmedTurns() {
    return this.notice("context_trimmed")?.turns ?? 0;
  }

  /** The newest notice with this code, or undefined. */
  notice(code) {
    return this.notices.findLast((notice) => notice.code === code);
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
    if (frame.seq > this.lastSeq + 1 || !this.#applyDurable(frame)) return Outcome.GAP;
    this.lastSeq = frame.seq;
    return Outcome.APPLIED;
  }

  /** False when the frame does not fit behind the text we have. */
  #applyDurable(frame) {
    switch (frame.type) {
      case "gen.created":
        this.message = frame.message ?? this.message;
        this.conversation = frame.conversation ?? this.conversation;
        this.#awaitsOldText = frame.continues ?? false;
        break;
      case "gen.started":
        if (frame.quality === "reduced" && !this.notice("reduced")) this.notices.push({ code: "reduced" });
        this.#enter(Phase.PREPARING);
        break;
      case "gen.delta":
        return this.#grow(frame);
      case "gen.block":
        if (frame.to_off > this.length) return false;
        this.blocks = [...this.blocks.filter((block) => block.from_off < frame.from_off), frame];
        break;
      case "gen.reset":
        this.#cut(frame.to_off);
        break;
      case "gen.notice":
        this.notices.push(frame);
        break;
      case "gen.done":
        if (frame.chars !== undefined) {
          this.#cut(frame.chars);
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

  #grow({ off = this.length, text }) {
    if (this.#awaitsOldText && off === 0) {
      // The old text once more, and its blocks follow: its last one goes on now.
      this.#setText("");
      this.blocks = [];
      this.#awaitsOldText = false;
    } else if (off !== this.length) {
      return false;
    }
    this.text += text;
    this.length += countPoints(text);
    this.isStalled = false;
    if (text !== "") this.#enter(Phase.STREAMING);
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
    this.#setText(frame.text ?? "");
    this.#awaitsOldText = false;
    this.blocks = frame.blocks ?? [];
    this.lastSeq = frame.upto ?? this.lastSeq;
    this.message = frame.message ?? this.message;
    this.notices = frame.notices ?? this.notices;
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

  #setText(text) {
    this.text = text;
    this.length = countPoints(text);
  }

  /** Drop what is behind `length`, and what it was the end of. */
  #cut(length) {
    this.#setText(clipPoints(this.text, length));
    this.blocks = this.blocks.filter((block) => block.to_off <= length);
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

/** What was remarkable about a stored answer, as the notices that said so while it was written. */
function storedNotices({ trimmed_turns: turns, quality, is_approved: isApproved, suggestions }) {
  const notices = [];
  if (turns) notices.push({ code: "context_trimmed", turns });
  if (quality === "reduced") notices.push({ code: "reduced" });
  if (isApproved) notices.push({ code: "approved" });
  if (suggestions?.length) notices.push({ code: "did_you_mean", items: suggestions });
  return notices;
}
