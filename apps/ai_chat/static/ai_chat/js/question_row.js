/** The page's element for one question. */

import { Delivery } from "./conversation.js";
import { element, icon, setText } from "./dom.js";
import { gettext } from "./texts.js";

export class QuestionRow {
  /** actions: as for Transcript. */
  constructor(actions) {
    this.text = element("p", { class: "question__text", dir: "auto" });
    this.tick = element("span", { class: "question__tick", role: "img", "aria-label": gettext("Not sent yet") }, icon("clock"));
    // <page>
    this.tools = actions.extras?.questionTools(this.text, actions);
    // </page>
    this.element = element("article", { class: "question", "aria-label": gettext("You") }, this.text, this.tick);
    // <page>
    this.element.append(this.tools?.element ?? "");
    // </page>
    this.facts = element("p", { class: "question__facts", dir: "auto" });
    this.element.append(this.facts);
  }

  /** isBusy: some answer is being written. */
  render(turn, { isOnline, isBusy }) {
    const isPending = turn.delivery === Delivery.PENDING;
    setText(this.text, turn.text);
    // What the page told with this question, as the visitor saw it before it was sent.
    const facts = Object.entries(turn.context ?? {}).map(([name, value]) => `${name}: ${value}`);
    setText(this.facts, facts.length > 0 ? `${gettext("Sent with your question:")} ${facts.join(", ")}` : "");
    this.element.hidden = turn.text === "";
    this.tick.hidden = !isPending;
    this.element.classList.toggle("question--pending", isPending && !isOnline);
    // <page>
    this.tools?.render(turn, isBusy);
    // </page>
  }
}
