/** The chat: frames come in, messages go out, and the views show what is true now. */

import { keepDraft } from "./composer.js";
import { Conversation, Delivery, Turn } from "./conversation.js";
import { ConversationReader } from "./conversation_reader.js";
import { fingerprint } from "./fingerprint.js";
import { Generation, Outcome } from "./generation.js";
import { newId } from "./ids.js";
import { frameOf } from "./outbox.js";
import { errorSentence } from "./phrases.js";
import { ResumeLog } from "./resume_log.js";
import { Link } from "./socket.js";
import { gettext, language } from "./texts.js";
import { Warmth } from "./warmth.js";

const MAX_RESENDS = 5;
// The server is being replaced by a newer one.
const MAKING_ROOM = 4503;

export class Chat {
  #resumes = new ResumeLog();
  #reader;
  #next = null;
  #asked = null;
  #warmth = new Warmth();

  /**
   * views: {transcript, composer, statusLine, announcer, narrator, onOpened(id, how),
   * onNamed(id), onChanged(conversation)}.
   */
  constructor({ api, outbox, views }) {
    this.outbox = outbox;
    this.#reader = new ConversationReader(api, { onRead: (json) => this.#adopt(json), onGone: () => this.#leave() });
    this.views = views;
    this.conversation = new Conversation();
    this.connection = null;
  }

  // What the visitor does

  /** context: what the page says about itself, shown to the visitor before; a flat object. */
  send(text, context) {
    this.#post({ text, context });
  }

  /** Ask something else instead of what is running. */
  ask(text) {
    this.#whenFree(() => this.send(text));
  }

  // <page>
  /** A new version of a stored question; what followed the old one stays with it. */
  edit(turn, text) {
    const message = turn.id;
    this.#whenFree(() => this.#post({ text, message }));
  }

  /** Show the path through another version of a question or an answer. */
  select(message) {
    this.#asked = message;
    if (!this.conversation.liveTurn) this.connection.send({ type: "branch.select", message });
  }

  // </page>
  /** given: {value: 1, -1 or 0, reason?, comment?}. */
  rate(answer, given) {
    this.#asked = answer.message;
    if (this.connection.send({ type: "feedback", message: answer.message, ...given })) answer.feedback = given;
    this.#changed();
  }

  /** The visitor is about to ask: the model may get ready. Nothing that is typed is sent. */
  warm() {
    if (!document.hidden && !this.isBusy) this.#warmth.ask(this.conversation.id, (frame) => this.connection.send(frame));
  }

  stop(answer = this.conversation.liveTurn?.answer) {
    if (!answer?.isLive || answer.isStopping) return;
    const turn = this.conversation.turnOf(answer);
    if (turn.delivery === Delivery.PENDING && !this.connection.isOnline) {
      this.#takeBack(turn, "");
      return;
    }
    answer.freeze();
    this.connection.send({ type: "gen.stop", gen: answer.gen, seen: answer.frozenLength });
    this.#changed();
  }

  /** Ask for an answer again; the question stays what it was. */
  retry(answer) {
    const turn = this.#freeTurn(answer);
    if (!turn) return;
    const message = answer.message ?? turn.id;
    if (message === null) {
      this.send(turn.text);
      return;
    }
    this.conversation.answerAgain(turn, new Generation({ gen: newId(), conversation: this.conversation.id }));
    this.#request(turn, "gen.regenerate", message);
  }

  /** Let an answer that ended early go on where it ended. */
  proceed(answer) {
    const turn = this.#freeTurn(answer);
    if (!turn) return;
    turn.answer = Generation.continuing(answer, newId());
    this.#request(turn, "gen.continue", answer.message);
  }

  /** Open a stored conversation, or a new one for null. `how`: "push", "replace" or "none". */
  async open(id, how = "push") {
    this.conversation = new Conversation(id);
    this.#next = null;
    this.views.narrator.forget();
    this.views.onOpened(id, how);
    this.#adoptOutbox();
    this.#show();
    await this.#reader.read(id);
    this.warm();
  }

  // What the connection says

  helloFrame() {
    const isStored = ({ answer, delivery }) => answer?.isLive && delivery !== Delivery.PENDING;
    const resume = this.#resumes.begin(this.conversation.turns.filter(isStored).slice(-16));
    return { type: "hello", v: 1, lang: language(), resume };
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
    // Not pong and whatever a later server adds.
    ({
      welcome: () => this.#welcome(frame),
      "message.ack": () => this.#acknowledged(frame),
      "message.updated": () => this.#messageUpdated(frame.message),
      "conversation.updated": () => frame.changed === "messages" && frame.conversation.id === this.conversation.id && this.#readAgain(),
      "conversation.deleted": () => frame.conversation === this.conversation.id && this.#leave(),
      banner: () => this.views.statusLine.setBanner(frame.text),
      bye: () => frame.code === MAKING_ROOM && this.views.statusLine.setPool("draining"),
      error: () => this.#refused(frame),
    })[frame.type]?.();
  }

  #welcome(frame) {
    if (frame.limits?.max_chars) this.views.composer.setMaxChars(frame.limits.max_chars);
    this.views.statusLine.setPool(frame.pool?.state ?? "ok");
    this.views.statusLine.setBanner(frame.banner ?? "");
    for (const entry of this.outbox.entries) this.#sendEntry(entry);
    for (const turn of this.conversation.turns) {
      if (turn.request && turn.answer.lastSeq === 0) this.connection.send(turn.request);
    }
    const isNews = ({ gen, conversation }) =>
      conversation !== null && conversation === this.conversation.id && !this.conversation.findTurn(gen);
    if ((frame.live ?? []).some(isNews)) this.#readAgain();
    this.#resumeLive();
    this.#changed();
    if (this.#warmth.isWanted) this.warm();
  }

  #acknowledged(frame) {
    const entry = this.outbox.find(frame.cid);
    this.outbox.remove(frame.cid);
    const turn = this.conversation.findByCid(frame.cid);
    if (turn) {
      turn.delivery = Delivery.STORED;
      turn.id = frame.message;
      // <page>
      turn.replaced = [];
      // </page>
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
    if (turn?.answer.isLive) {
      const isRefused = turn.request && turn.answer.lastSeq === 0;
      turn.request = null;
      this.#readAgain();
      if (!isRefused) return;
    } else if (frame.code === "not_found" || this.#isUnasked(frame.ref)) {
      return;
    }
    this.views.composer.notice(errorSentence(frame));
    this.views.announcer.alert(errorSentence(frame));
  }

  /** True for what the visitor did not ask for, such as a mark that something has been read. */
  #isUnasked(ref) {
    return ref === "warm" || (ref !== this.#asked && this.conversation.findAnswer(ref) !== null);
  }

  #messageUpdated(message) {
    const answer = this.conversation.findAnswer(message.id);
    if (!answer) return;
    answer.feedback = message.feedback ?? null;
    this.#changed();
  }

  #receiveAnswer(frame) {
    const turn = this.conversation.findTurn(frame.gen);
    if (!turn) {
      // An answer that another tab asked for begins.
      if (frame.type === "gen.created" && frame.conversation === this.conversation.id) this.#readAgain();
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
    this.#checkText(answer);
  }

  /** The text must be the one that was written; if not, the stored one replaces it. */
  async #checkText(answer) {
    const wanted = answer.done?.sha256_8;
    const hex = wanted ? await fingerprint(answer.text) : null;
    if (hex !== null && hex !== wanted) this.#readAgain();
  }

  // Messages on their way

  /** given: {text, context?, message?}; `message` is the question that this is a new version of. */
  #post(given) {
    const entry = { cid: newId(), gen: newId(), conversation: this.conversation.id, ...given };
    this.outbox.add(entry);
    this.conversation.add(Turn.fromEntry(entry), entry.message);
    this.#sendEntry(entry);
    this.#show();
    this.views.transcript.anchorLast();
  }

  #sendEntry(entry) {
    this.connection.send(frameOf(entry));
  }

  /** The turn of an answer that may be asked for again now, or null. */
  #freeTurn(answer) {
    return this.conversation.liveTurn || !this.connection.isOnline ? null : this.conversation.turnOf(answer);
  }

  #request(turn, type, message) {
    turn.request = { type, gen: turn.answer.gen, message };
    this.connection.send(turn.request);
    this.#show();
  }

  /** Do something that needs the model: at once, or when the running answer has been stopped for it. */
  #whenFree(act) {
    this.#next = act;
    this.stop();
    this.#changed();
  }

  #adoptOutbox() {
    for (const entry of this.outbox.entries) {
      const isHere = entry.conversation === this.conversation.id && !this.conversation.findByCid(entry.cid);
      if (isHere && !this.conversation.findTurn(entry.gen)) this.conversation.add(Turn.fromEntry(entry), entry.message);
    }
  }

  /** The server has no room: try the same message again when it says so. */
  #resendLater(entry, frame) {
    entry.numTries = (entry.numTries ?? 0) + 1;
    if (entry.numTries > MAX_RESENDS || !this.conversation.findByCid(entry.cid)) return false;
    this.views.composer.notice(errorSentence(frame));
    setTimeout(() => {
      const waiting = this.outbox.find(entry.cid);
      if (waiting) this.#sendEntry(waiting);
    }, 1000 * Math.min(60, Math.max(1, frame.retry_after_s ?? 5)));
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
    if (this.conversation.id !== null) this.#reader.read(this.conversation.id);
  }

  #adopt(json) {
    this.conversation = Conversation.fromJson(json, this.conversation);
    this.#adoptOutbox();
    this.#resumeLive();
    this.#show();
  }

  /** The open conversation is gone. */
  async #leave() {
    await this.open(null, "replace");
    this.views.composer.notice(gettext("That conversation is no longer here."));
  }

  #resumeLive() {
    if (!this.connection.isOnline) return;
    for (const { answer, delivery } of this.conversation.turns) {
      if (!answer?.isLive || delivery === Delivery.PENDING || this.#resumes.hasAsked(answer)) continue;
      this.#resume(answer);
    }
  }

  /** Ask for what is missing; frames that arrive meanwhile must not ask again and again. */
  #resume(answer) {
    if (this.#resumes.isRecent(answer)) return;
    if (this.#resumes.note(answer)) this.connection.send({ type: "gen.resume", gen: answer.gen, after: answer.lastSeq });
    else this.#readAgain();
  }

  // Views

  #show() {
    this.views.transcript.show(this.conversation);
    this.#changed();
  }

  #changed() {
    const isLive = this.conversation.liveTurn !== null;
    const next = isLive ? null : this.#next;
    if (next) {
      this.#next = null;
      next();
      return;
    }
    this.views.composer.setLive(isLive);
    this.views.onChanged(this.conversation);
    this.views.transcript.changed();
  }
}
