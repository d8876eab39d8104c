/** The page's element for one question. */

import { Delivery } from "./conversation.js";
import { element, icon, setText } from "./dom.js";
import { gettext } from "./texts.js";

export class QuestionRow {
  /** actions: as for Transcript. */
  constructor(actions) {
    this.text = element("p", { className: "question__text", dir: "auto" });
    this.tick = element("span", { className: "question__tick", role: "img", "aria-label": gettext("Not sent yet") }, icon("clock"));
    // <page>
    this.tools = actions.extras?.questionTools(this.text, actions);
    // </page>
    this.element = element("article", { className: "question", "aria-label": gettext("You") }, this.text, this.tick);
    // <page>
    this.element.append(this.tools?.element ?? "");
    // </page>
  }

  /** isBusy: some answer is being written. */
  render(turn, { isOnline, isBusy }) {
    const isPending = turn.delivery === Delivery.PENDING;
    setText(this.text, turn.text);
    this.element.hidden = turn.text === "";
    this.tick.hidden = !isPending;
    this.element.classList.toggle("question--pending", isPending && !isOnline);
    // <page>
    this.tools?.render(turn, isBusy);
    // </page>
  }
}
