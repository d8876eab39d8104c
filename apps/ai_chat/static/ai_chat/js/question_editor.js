/** The box in which a question is edited. What is typed is kept until it is sent: Escape only puts the box away. */

import { button, element } from "./dom.js";
import { keep, recall } from "./storage.js";
import { gettext } from "./texts.js";

export class QuestionEditor {
  /** question: {id, text}; actions: {onSend(text), onClose(hadFocus)}. */
  constructor({ id, text }, { onSend, onClose }) {
    const key = `corral:edit:${id}`;
    const area = (this.area = element("textarea", { className: "editor__text", rows: "1", dir: "auto", "aria-label": gettext("Edit your message") }));
    const send = element("button", { className: "text-button text-button--strong", type: "submit" }, gettext("Send"));
    const cancel = button("text-button", gettext("Cancel"));
    this.onClose = onClose;
    this.element = element("form", { className: "editor" }, area, element("p", { className: "editor__bar" }, cancel, send));
    area.value = recall(key, text);
    area.addEventListener("input", () => {
      keep(key, area.value === text ? null : area.value);
      this.#fit();
    });
    area.addEventListener("keydown", (event) => {
      const isComposing = event.isComposing || event.keyCode === 229;
      if (event.key !== "Enter" || event.shiftKey || isComposing) return;
      event.preventDefault();
      this.element.requestSubmit();
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      this.close();
    });
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = area.value.trim();
      if (typed === "") return;
      keep(key, null);
      this.close();
      if (typed !== text) onSend(typed);
    });
    cancel.addEventListener("click", () => this.close());
  }

  focus() {
    const { area } = this;
    this.#fit();
    area.focus({ preventScroll: true });
    area.setSelectionRange(area.value.length, area.value.length);
    this.element.scrollIntoView({ block: "nearest" });
  }

  close() {
    const hadFocus = this.element.contains(this.element.getRootNode().activeElement);
    this.element.remove();
    this.onClose(hadFocus);
  }

  #fit() {
    this.area.style.blockSize = "auto";
    this.area.style.blockSize = `${this.area.scrollHeight}px`;
  }
}
