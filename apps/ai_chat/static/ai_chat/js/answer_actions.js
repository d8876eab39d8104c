/** What can be done with a finished answer. */

import { copyButton } from "./clipboard.js";
import { button, element, setText } from "./dom.js";
import { detailItems } from "./phrases.js";
import { gettext } from "./texts.js";

export class AnswerActions {
  #answer = null;
  #rating = 0;

  /** actions: {onRetry(answer), onRate?(answer, given), onSelect?(message), extras?} as for Transcript. */
  constructor(actions) {
    const { onRetry, onRate } = actions;
    // <page>
    const { onSelect, extras = {} } = actions;
    // </page>
    const tool = (label, iconName) => button("icon-button answer__action", label, { iconName, text: "" });
    this.onRate = onRate;
    // <page>
    this.versions = extras.versions?.(onSelect);
    this.reasons = extras.reasons?.((given) => onRate(this.#answer, { value: -1, ...given }));
    // </page>
    this.copy = copyButton("icon-button answer__action", gettext("Copy"), () => this.#answer.text);
    this.again = tool(gettext("Answer again"), "again");
    this.thumbs = onRate ? [[1, tool(gettext("Good answer"), "good")], [-1, tool(gettext("Bad answer"), "bad")]] : [];
    this.more = tool(gettext("Details"), "info");
    this.more.ariaExpanded = "false";
    this.details = element("p", { class: "answer__details", hidden: "" });
    const tools = [this.copy, this.again, ...this.thumbs.map(([, thumb]) => thumb), this.more, this.details];
    this.element = element("div", { class: "answer__actions" }, ...tools);
    // <page>
    this.element.prepend(this.versions?.element ?? "");
    this.element.append(this.reasons?.element ?? "");
    // </page>
    this.again.onclick = () => onRetry(this.#answer);
    this.more.onclick = () => this.#toggle();
    for (const [value, thumb] of this.thumbs) thumb.onclick = () => this.#rate(value, thumb);
  }

  /** view: of answer_view.js; isBusy: some answer is being written. */
  render(answer, { isFinished, canRetry }, isBusy) {
    this.#answer = answer;
    const isEmpty = answer.length === 0;
    this.element.hidden = !isFinished || isEmpty;
    // <page>
    if (isFinished && this.versions && answer.versions?.ids.length > 1) this.element.hidden = false;
    // </page>
    // <page>
    this.versions?.show(isBusy ? null : answer.versions, answer.message);
    // </page>
    this.copy.hidden = isEmpty;
    this.again.hidden = canRetry || isBusy;
    this.#rating = answer.feedback?.value ?? 0;
    for (const [value, thumb] of this.thumbs) thumb.ariaPressed = value === this.#rating;
    // <page>
    if (this.#rating !== -1) this.reasons?.close();
    // </page>
    const items = answer.done ? detailItems(answer.done) : [];
    this.more.hidden = items.length === 0;
    setText(this.details, items.join(" \u00b7 "));
  }

  /** A second press takes it back. */
  #rate(value, thumb) {
    const isOff = value === this.#rating;
    this.onRate(this.#answer, { value: isOff ? 0 : value });
    // <page>
    if (value === -1 && !isOff) this.reasons?.open(thumb);
    // </page>
  }

  #toggle() {
    const isOpen = this.details.hidden;
    this.details.hidden = !isOpen;
    this.more.ariaExpanded = isOpen;
    if (isOpen) this.details.scrollIntoView({ block: "nearest" });
  }
}
