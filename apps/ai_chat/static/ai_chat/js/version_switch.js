/** "2/3" between two arrows: the versions of a question or an answer. */

import { button, element, setText } from "./dom.js";
import { fill, gettext } from "./texts.js";

export class VersionSwitch {
  #ids = [];
  #at = 0;

  /** onSelect(message): show the path through that version. */
  constructor(onSelect) {
    const previous = button("icon-button versions__previous", gettext("Previous version"), { iconName: "previous", text: "" });
    const next = button("icon-button versions__next", gettext("Next version"), { iconName: "next", text: "" });
    this.count = element("span", { className: "versions__count" });
    this.parts = [previous, next];
    this.element = element("span", { className: "versions", role: "group", hidden: "" }, previous, this.count, next);
    this.parts.forEach((arrow, index) => arrow.addEventListener("click", () => {
      const id = this.#ids[this.#at + 2 * index - 1];
      if (id) onSelect(id);
    }));
  }

  /** versions: {ids} of all versions, oldest first; `id` is the one that is shown. */
  show(versions, id) {
    this.#ids = versions?.ids ?? [];
    const found = this.#ids.indexOf(id);
    this.#at = found === -1 ? this.#ids.length - 1 : found;
    const values = { n: this.#at + 1, total: this.#ids.length };
    this.element.hidden = values.total < 2;
    this.element.ariaLabel = fill(gettext("Version %(n)s of %(total)s"), values);
    setText(this.count, `${values.n}/${values.total}`);
    // A focused button is never taken away: at the end it only does nothing.
    this.parts[0].ariaDisabled = values.n <= 1;
    this.parts[1].ariaDisabled = values.n >= values.total;
  }
}
