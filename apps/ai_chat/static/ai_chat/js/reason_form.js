/** What was wrong with an answer, for those who want to say so. */

import { button, element } from "./dom.js";
import { gettext } from "./texts.js";

const MAX_CHARS = 1000;

export class ReasonForm {
  #opener = null;

  /** onGiven({reason?, comment}). */
  constructor(onGiven) {
    this.element = element("form", { className: "feedback", hidden: "" });
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = Object.fromEntries(new FormData(this.element));
      onGiven({ ...given, comment: given.comment.trim() });
      this.#leave();
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      this.#leave();
    });
  }

  /** Ask; afterwards the focus goes back to `opener`. */
  open(opener) {
    this.#opener = opener;
    const reasons = {
      wrong: gettext("Not correct"),
      unhelpful: gettext("Not helpful"),
      incomplete: gettext("Incomplete"),
      harmful: gettext("Harmful"),
    };
    const chips = Object.entries(reasons).map(([value, label]) =>
      element("label", { className: "chip" }, element("input", { type: "radio", name: "reason", value }), label));
    const label = gettext("Anything to add? (optional)");
    const comment = element("textarea", { name: "comment", rows: "2", maxlength: MAX_CHARS, dir: "auto", placeholder: label, "aria-label": label });
    const send = element("button", { className: "text-button text-button--strong", type: "submit" }, gettext("Send feedback"));
    const later = button("text-button", gettext("Not now"));
    later.addEventListener("click", () => this.#leave());
    const legend = element("legend", {}, gettext("What was wrong?"));
    this.element.replaceChildren(element("fieldset", {}, legend, ...chips), comment, element("p", { className: "feedback__bar" }, later, send));
    this.element.hidden = false;
    this.element.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.element.hidden = true;
  }

  #leave() {
    this.close();
    this.#opener.focus({ preventScroll: true });
  }
}
