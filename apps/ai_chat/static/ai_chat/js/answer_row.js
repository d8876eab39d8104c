/** The page's element for one answer. */

import { answerView } from "./answer_view.js";
import { button, element, icon, setText } from "./dom.js";
import { detailItems } from "./phrases.js";

const COPIED_MS = 1_600;

export class AnswerRow {
  #answer = null;
  #phase = null;
  #phaseAt = 0;
  #textAt = 0;
  #startAt;
  #textNode = document.createTextNode("");

  /** actions: {onStop(answer), onRetry(answer)}. */
  constructor(actions, now) {
    this.#startAt = now;
    this.text = element("div", { className: "answer__text", dir: "auto" }, this.#textNode);
    this.dots = element("span", { className: "answer__dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
    this.note = element("span", { className: "answer__note" });
    this.leave = button("text-button", "Leave line");
    this.retry = button("text-button", "Try again", { iconName: "again" });
    this.hint = element("p", { className: "answer__hint" });
    this.meter = element("div", { className: "answer__meter", "aria-hidden": "true" }, element("i"));
    this.state = element("div", { className: "answer__state" }, this.dots, this.note, this.leave, this.retry);
    this.copy = button("icon-button answer__action", "Copy", { iconName: "copy", text: "" });
    this.more = button("icon-button answer__action", "Details", { iconName: "info", text: "" });
    this.more.setAttribute("aria-expanded", "false");
    this.details = element("p", { className: "answer__details", hidden: "" });
    this.actions = element("div", { className: "answer__actions" }, this.copy, this.more, this.details);
    this.element = element(
      "article",
      { className: "answer", "aria-label": "Assistant" },
      this.text, this.state, this.meter, this.hint, this.actions,
    );
    this.leave.addEventListener("click", () => actions.onStop(this.#answer));
    this.retry.addEventListener("click", () => actions.onRetry(this.#answer));
    this.copy.addEventListener("click", () => this.#copyText());
    this.more.addEventListener("click", () => this.#toggleDetails());
  }

  /** Show `answer` as it is now; returns the view, for those who announce it. */
  render(answer, { now, isOnline, isLast }) {
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
    if (this.#writeText(answer.shownText)) this.#textAt = now;
    const view = answerView(answer, {
      sinceStartMs: now - this.#startAt,
      sincePhaseMs: now - this.#phaseAt,
      sinceTextMs: now - this.#textAt,
      isOnline,
      isLast,
    });
    setText(this.note, view.note);
    setText(this.hint, view.hint);
    this.text.hidden = answer.length === 0;
    this.dots.hidden = !view.showsDots;
    this.leave.hidden = !view.canLeave;
    this.retry.hidden = !view.canRetry;
    this.hint.hidden = view.hint === "";
    this.meter.hidden = !view.canLeave;
    this.state.hidden = !(view.showsDots || view.note || view.canLeave || view.canRetry);
    this.actions.hidden = !view.isFinished || answer.length === 0;
    this.element.classList.toggle("answer--streaming", view.showsCaret);
    this.element.classList.toggle("answer--alert", view.isAlert);
    this.element.classList.toggle("answer--finished", view.isFinished);
    if (view.isFinished) this.#fillDetails(answer);
    return view;
  }

  /** Grow the one text node; true if the text changed. */
  #writeText(text) {
    const shown = this.#textNode.data;
    if (text === shown) return false;
    if (text.startsWith(shown)) this.#textNode.appendData(text.slice(shown.length));
    else this.#textNode.data = text;
    return true;
  }

  #fillDetails(answer) {
    const items = answer.done ? detailItems(answer.done) : [];
    this.more.hidden = items.length === 0;
    setText(this.details, items.join(" \u00b7 "));
  }

  #toggleDetails() {
    const isOpen = this.details.hidden;
    this.details.hidden = !isOpen;
    this.more.setAttribute("aria-expanded", String(isOpen));
  }

  async #copyText() {
    if (!(await copyText(this.#answer.text))) return;
    this.copy.replaceChildren(icon("check"));
    this.copy.setAttribute("aria-label", "Copied");
    setTimeout(() => {
      this.copy.replaceChildren(icon("copy"));
      this.copy.setAttribute("aria-label", "Copy");
    }, COPIED_MS);
  }
}

/** The clipboard interface is missing on plain http origins other than localhost. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { className: "visually-hidden", "aria-hidden": "true" });
    const focused = document.activeElement;
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return isCopied;
  }
}
