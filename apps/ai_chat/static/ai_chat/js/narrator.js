/** Decides what of an answer's life is said aloud, and how often. */

import { Phase } from "./generation.js";
import { gettext } from "./texts.js";

const REPEAT_PLACE_MS = 30_000;

export class Narrator {
  #told = new Map();

  constructor(announcer) {
    this.announcer = announcer;
  }

  /** Answers already finished when a conversation is opened are not news. */
  forget() {
    this.#told.clear();
  }

  /** Called after every drawing of `answer` with what it shows. */
  observe(answer, view) {
    if (document.hidden) return;
    const told = this.#told.get(answer.gen);
    if (told === undefined) {
      if (!answer.isLive) return;
      this.#told.set(answer.gen, { note: "", position: Infinity, at: 0, isOver: false });
      return;
    }
    if (told.isOver) return;
    if (view.isFinished) {
      told.isOver = true;
      this.#finish(answer, view);
    } else if (answer.phase === Phase.QUEUED) {
      this.#tellPlace(answer, view, told);
    } else if (view.note !== "" && (view.said || view.note) !== told.note) {
      told.note = view.said || view.note;
      this.announcer.status(told.note);
    }
    if (answer.phase === Phase.STREAMING) this.announcer.grow(answer.gen, answer.shownText);
  }

  #finish(answer, view) {
    if (view.isAlert) this.announcer.alert(view.note);
    const ending = view.isAlert ? "" : view.note || (this.announcer.mode === "live" ? "" : gettext("Answer finished"));
    this.announcer.finish(answer.gen, answer.text, ending);
  }

  #tellPlace(answer, view, told) {
    const now = performance.now();
    const hasMoved = answer.queue.position < told.position;
    if (!hasMoved && now - told.at < REPEAT_PLACE_MS) return;
    told.position = answer.queue.position;
    told.at = now;
    this.announcer.status(view.note);
  }
}
