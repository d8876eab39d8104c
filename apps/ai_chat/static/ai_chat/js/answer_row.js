/** The page's element for one answer. */

import { AnswerActions } from "./answer_actions.js";
import { AnswerText } from "./answer_text.js";
import { answerView } from "./answer_view.js";
import { button, element, icon, setText } from "./dom.js";
import { gettext } from "./texts.js";

export class AnswerRow {
  #answer = null;
  #phase = null;
  #phaseAt = 0;
  #textAt = 0;
  #startAt;
  #shown = "";
  #onAsk;
  #canProceed;

  /** actions: {onStop(answer), onRetry(answer), onProceed?(answer), onAsk?(text)} and those of AnswerActions. */
  constructor(actions, now) {
    this.#startAt = now;
    this.#onAsk = actions.onAsk;
    this.#canProceed = Boolean(actions.onProceed);
    this.marks = element("p", { class: "answer__marks" });
    this.text = new AnswerText();
    this.dots = element("span", { class: "answer__dots", "aria-hidden": "true" }, "\u2022\u2022\u2022");
    this.note = element("span", { class: "answer__note" });
    this.leave = this.#button(gettext("Leave line"), null, actions.onStop);
    this.proceed = this.#button(gettext("Continue"), "next", actions.onProceed);
    this.retry = this.#button(gettext("Try again"), "again", actions.onRetry);
    this.hint = element("p", { class: "answer__hint" });
    this.meter = element("div", { class: "answer__meter", "aria-hidden": "true" });
    this.state = element("div", { class: "answer__state" }, this.dots, this.note, this.leave, this.proceed, this.retry);
    this.chips = element("div", { class: "answer__chips", role: "group" });
    this.actions = new AnswerActions(actions);
    this.element = element(
      "article",
      { class: "answer", "aria-label": gettext("Assistant") },
      this.marks, this.text.element, this.state, this.meter, this.hint, this.chips, this.actions.element,
    );
  }

  /** Show `answer` as it is now; returns the view, for those who announce it. */
  render(answer, { now, isOnline, isLast, isBusy = answer.isLive }) {
    if (answer !== this.#answer) {
      this.#answer = answer;
      this.#phase = null;
      this.#startAt = now;
    }
    if (answer.phase !== this.#phase) {
      this.#phase = answer.phase;
      this.#phaseAt = now;
      this.#textAt = now;
    }
    if (this.text.write(answer)) this.#textAt = now;
    const view = answerView(answer, {
      sinceStartMs: now - this.#startAt,
      sincePhaseMs: now - this.#phaseAt,
      sinceTextMs: now - this.#textAt,
      isOnline,
      isLast,
    });
    setText(this.note, view.note);
    setText(this.hint, view.hint);
    this.text.element.hidden = answer.length === 0;
    this.dots.hidden = !view.showsDots;
    this.leave.hidden = !view.canLeave;
    this.proceed.hidden = !view.canProceed || !this.#canProceed;
    this.retry.hidden = !view.canRetry;
    this.hint.hidden = view.hint === "";
    this.meter.hidden = !view.canLeave;
    this.state.hidden = !(view.showsDots || view.note || view.canLeave || view.canProceed || view.canRetry);
    this.element.classList.toggle("answer--streaming", view.showsCaret);
    this.element.classList.toggle("answer--alert", view.isAlert);
    this.element.classList.toggle("answer--finished", view.isFinished);
    this.#showExtras(view);
    this.actions.render(answer, view, isBusy);
    return view;
  }

  /** Marks and suggestions are built only when they change: a chip may have the focus. */
  #showExtras({ marks, suggestions }) {
    const wanted = JSON.stringify([marks, suggestions]);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    this.marks.hidden = marks.length === 0;
    this.marks.replaceChildren(...marks.map(({ kind, text }) =>
      element("span", { class: `mark mark--${kind}` }, icon(kind === "good" ? "seal" : "info"), text)));
    const question = gettext("Did you mean");
    this.chips.hidden = suggestions.length === 0 || !this.#onAsk;
    this.chips.ariaLabel = question;
    this.chips.replaceChildren(element("span", {}, question), ...suggestions.map((text) => {
      const chip = button("chip", text);
      chip.dir = "auto";
      chip.onclick = () => this.#onAsk(text);
      return chip;
    }));
  }

  #button(label, iconName, action) {
    const node = button("text-button", label, { iconName });
    node.onclick = () => action?.(this.#answer);
    return node;
  }
}
