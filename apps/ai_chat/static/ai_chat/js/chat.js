/** The chat: frames come in, messages go out, and the views show what is true now. */

import { Conversation, Delivery, Turn } from "./conversation.js";
import { keepDraft } from "./composer.js";
import { Generation, Outcome, Phase } from "./generation.js";
import { newId } from "./ids.js";
import { errorSentence } from "./phrases.js";
import { Link } from "./socket.js";

const MAX_RESUMES = 3;
const RESUME_EVERY_MS = 2_000;
const MAX_RESENDS = 5;

export class Chat {
  #resumes = new Map();
  #reading = 0;
  #resends = new Map();

  /**
   * views: {transcript, composer, sidebar, statusLine, announcer, narrator, onOpened(id, how),
   * onNamed(id), onChanged(conversation)}.
   */
  constructor({ api, outbox, views }) {
    this.api = api;
    this.outbox = outbox;
    this.views = views;
    this.conversation = new Conversation();
    this.connection = null;
  }

  // What the visitor does

  send(text) {
    const entry = { cid: newId(), gen: newId(), conversation: this.conversation.id, text };
    this.outbox.add(entry);
    this.conversation.turns.push(Turn.fromEntry(entry));
    this.#sendEntry(entry);
    this.#show();
    this.views.transcript.anchorLast();
  }

  stop(answer = this.conversation.liveTurn?.answer) {
    if (!answer?.isLive || answer.isStopping) return;
    const turn = this.conversation.findTurn(answer.gen);
    if (turn.delivery === Delivery.PENDING && !this.connection.isOnline) {
      this.#takeBack(turn, "");
      return;
    }
    answer.freeze();
    this.connection.send({ type: "gen.stop", gen: answer.gen, seen: answer.frozenLength });
    this.#changed();
  }

  /** Ask for the last answer again; the question stays what it was. */
  retry(answer) {
    const turn = this.conversation.findTurn(answer.gen);
    if (!turn || this.conversation.liveTurn || !this.connection.isOnline) return;
    const message = answer.message ?? turn.id;
    if (message === null || turn !== this.conversation.lastTurn) {
      this.send(turn.text);
      return;
    }
    turn.answer = new Generation({ gen: newId(), conversation: this.conversation.id });
    turn.regenerate = { type: "gen.regenerate", gen: turn.answer.gen, message };
    this.connection.send(turn.regenerate);
    this.#changed();
  }

  /** Open a stored conversation, or a new one for null. `how`: "push", "replace" or "none". */
  async open(id, how = "push") {
    const reading = ++this.#reading;
    this.conversation = new Conversation(id);
    this.views.narrator.forget();
    this.views.onOpened(id, how);
    this.#adoptOutbox();
    this.#show();
    if (id !== null) await this.#read(id, reading);
  }

  // What the connection says

  helloFrame() {
    this.#resumes.clear();
    const resume = [];
    for (const turn of this.conversation.turns) {
      if (!turn.answer?.isLive || turn.delivery === Delivery.PENDING) continue;
      resume.push({ gen: turn.answer.gen, after: turn.answer.lastSeq });
      this.#noteResume(turn.answer);
    }
    return { type: "hello", v: 1, resume: resume.slice(-16) };
  }

  get isBusy() {
    return this.conversation.liveTurn !== null || this.outbox.entries.length > 0;
  }

  linkChanged(link) {
    this.views.statusLine.setLink(link);
    if (link !== Link.ONLINE) this.#changed();
  }

  receive(frame) {
    if (frame.type.startsWith("gen.")) {
      this.#receiveAnswer(frame);
      return;
    }
    switch (frame.type) {
      case "welcome":
        this.#welcome(frame);
        break;
      case "message.ack":
        this.#acknowledged(frame);
        break;
      case "conversation.updated":
      case "conversation.deleted":
        this.views.sidebar.refresh();
        break;
      case "error":
        this.#refused(frame);
        break;
      default:
        break; // pong, bye and whatever a later server adds.
    }
  }

  #welcome(frame) {
    if (frame.limits?.max_chars) this.views.composer.setMaxChars(frame.limits.max_chars);
    this.views.statusLine.setPool(frame.pool?.state ?? "ok");
    for (const entry of this.outbox.entries) this.#sendEntry(entry);
    for (const turn of this.conversation.turns) {
      if (turn.regenerate && turn.answer.lastSeq === 0) this.connection.send(turn.regenerate);
    }
    const isNews = ({ gen, conversation }) =>
      conversation !== null && conversation === this.conversation.id && !this.conversation.findTurn(gen);
    if ((frame.live ?? []).some(isNews)) this.#readAgain();
    this.#resumeLive();
    this.views.sidebar.refresh();
    this.#changed();
  }

  #acknowledged(frame) {
    const entry = this.outbox.find(frame.cid);
    this.outbox.remove(frame.cid);
    const turn = this.conversation.findByCid(frame.cid);
    if (turn) {
      turn.delivery = Delivery.STORED;
      turn.id = frame.message;
      if (this.conversation.id === null) {
        this.conversation.id = frame.conversation;
        this.views.onNamed(frame.conversation);
      }
      const twin = this.conversation.turns.find((other) => other !== turn && other.id === frame.message);
      if (twin) this.conversation.remove(turn);
      // Sent before: the answer may have been written while nobody listened.
      if (frame.dup) this.#resume(turn.answer);
    } else if (!entry && frame.conversation === this.conversation.id) {
      this.#readAgain();
    }
    this.views.sidebar.refresh();
    this.#changed();
  }

  #refused(frame) {
    const entry = this.outbox.find(frame.ref);
    if (entry) {
      if (frame.code === "queue_full" && this.#resendLater(entry, frame)) return;
      this.#giveBack(entry, frame);
      return;
    }
    const turn = this.conversation.findTurn(frame.ref);
    if (turn?.regenerate && turn.answer.lastSeq === 0) {
      turn.answer.phase = Phase.FAILED;
      turn.answer.error = { ...frame, retryable: true };
      this.#readAgain();
    } else if (turn?.answer.isLive) {
      this.#readAgain();
    } else if (frame.code !== "not_found") {
      this.views.composer.notice(errorSentence(frame));
      this.views.announcer.alert(errorSentence(frame));
    }
  }

  #receiveAnswer(frame) {
    const turn = this.conversation.findTurn(frame.gen);
    if (!turn) {
      // Another tab asked something: in this conversation, or in one of the list.
      if (frame.type !== "gen.created") return;
      if (frame.conversation === this.conversation.id) this.#readAgain();
      this.views.sidebar.refresh();
      return;
    }
    const answer = turn.answer;
    const wasLive = answer.isLive;
    if (answer.apply(frame) === Outcome.GAP) this.#resume(answer);
    if (frame.type === "gen.progress" && frame.phase === "load") this.views.statusLine.setPool("loading");
    if (frame.type === "gen.started") this.views.statusLine.setPool("ok");
    if (wasLive && !answer.isLive) this.#ended(answer);
    // A finished answer out of the database: its numbers come with the conversation.
    if (frame.type === "gen.snapshot" && !answer.isLive) this.#readAgain();
    this.#changed();
  }

  #ended(answer) {
    if (answer.error?.code === "no_model") this.views.statusLine.setPool("no_model");
    this.views.sidebar.refresh();
    this.#checkText(answer);
  }

  /** The text must be the one that was written; if not, the stored one replaces it. */
  async #checkText(answer) {
    const wanted = answer.done?.sha256_8;
    if (!wanted || !globalThis.crypto?.subtle) return;
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(answer.text)));
    const hex = Array.from(bytes.slice(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hex !== wanted) this.#readAgain();
  }

  // Messages on their way

  #sendEntry({ cid, gen, conversation, text }) {
    const frame = { type: "message.send", cid, gen, text };
    if (conversation !== null) frame.conversation = conversation;
    this.connection.send(frame);
  }

  #adoptOutbox() {
    for (const entry of this.outbox.entries) {
      const isHere = entry.conversation === this.conversation.id && !this.conversation.findByCid(entry.cid);
      if (isHere && !this.conversation.findTurn(entry.gen)) this.conversation.turns.push(Turn.fromEntry(entry));
    }
  }

  /** The server has no room: try the same message again when it says so. */
  #resendLater(entry, { retry_after_s: seconds = 5 }) {
    const numTries = (this.#resends.get(entry.cid) ?? 0) + 1;
    if (numTries > MAX_RESENDS || !this.conversation.findByCid(entry.cid)) return false;
    this.#resends.set(entry.cid, numTries);
    this.views.composer.notice("Lots of people are asking right now. Your message goes out when there is room.");
    setTimeout(() => {
      const waiting = this.outbox.find(entry.cid);
      if (waiting) this.#sendEntry(waiting);
    }, 1000 * Math.min(60, Math.max(1, seconds)));
    return true;
  }

  #giveBack(entry, frame) {
    const sentence = errorSentence(frame, { over: frame.n ?? 0 });
    const turn = this.conversation.findByCid(entry.cid);
    if (turn) {
      this.#takeBack(turn, sentence);
    } else {
      this.outbox.remove(entry.cid);
      keepDraft(entry.conversation, entry.text);
    }
    this.views.announcer.alert(sentence);
  }

  /** An unsent message returns to the composer. */
  #takeBack(turn, sentence) {
    this.outbox.remove(turn.cid);
    this.conversation.remove(turn);
    this.#show();
    this.views.composer.giveBack(turn.text);
    this.views.composer.notice(sentence);
  }

  // Reading and resuming

  #readAgain() {
    const { id } = this.conversation;
    if (id !== null) this.#read(id, ++this.#reading);
  }

  async #read(id, reading) {
    let json;
    try {
      json = await this.api.readConversation(id);
    } catch (error) {
      if (reading !== this.#reading) return;
      if (error.status === 404) {
        await this.open(null, "replace");
        this.views.composer.notice("That conversation is no longer here.");
      } else {
        // No answer: the next welcome reads it again.
        setTimeout(() => reading === this.#reading && this.#read(id, reading), 3_000);
      }
      return;
    }
    if (reading !== this.#reading) return;
    this.conversation = Conversation.fromJson(json, this.conversation);
    this.#adoptOutbox();
    this.#resumeLive();
    this.#show();
  }

  #resumeLive() {
    if (!this.connection.isOnline) return;
    for (const { answer, delivery } of this.conversation.turns) {
      if (!answer?.isLive || delivery === Delivery.PENDING || this.#resumes.has(answer.gen)) continue;
      this.#resume(answer);
    }
  }

  /** Ask for what is missing; frames that arrive meanwhile must not ask again and again. */
  #resume(answer) {
    const last = this.#resumes.get(answer.gen);
    const now = performance.now();
    if (last?.after === answer.lastSeq && now - last.at < RESUME_EVERY_MS) return;
    const num = this.#noteResume(answer);
    if (num > MAX_RESUMES) {
      this.#resumes.delete(answer.gen);
      this.#readAgain();
      return;
    }
    this.connection.send({ type: "gen.resume", gen: answer.gen, after: answer.lastSeq });
  }

  #noteResume(answer) {
    const last = this.#resumes.get(answer.gen);
    const num = last?.after === answer.lastSeq ? last.num + 1 : 1;
    this.#resumes.set(answer.gen, { after: answer.lastSeq, at: performance.now(), num });
    return num;
  }

  // Views

  #show() {
    this.views.transcript.show(this.conversation);
    this.#changed();
  }

  #changed() {
    this.views.composer.setLive(this.conversation.liveTurn !== null);
    this.views.onChanged(this.conversation);
    this.views.transcript.changed();
  }
}
