/** What can be done with a question: look at its versions, and edit it. */

import { button, element } from "./dom.js";
import { QuestionEditor } from "./question_editor.js";
import { gettext } from "./texts.js";
import { VersionSwitch } from "./version_switch.js";

export class QuestionTools {
  #turn = null;
  #editor = null;

  /** shown: the element with the question's words; actions: {onEdit(turn, text), onSelect(message)}. */
  constructor(shown, { onEdit, onSelect }) {
    this.shown = shown;
    this.onEdit = onEdit;
    this.versions = new VersionSwitch(onSelect);
    this.button = button("icon-button question__edit", gettext("Edit"), { iconName: "edit", text: "" });
    this.element = element("div", { className: "question__tools" }, this.versions.element, this.button);
    this.button.addEventListener("click", () => this.edit());
  }

  render(turn, isBusy) {
    if (this.#editor && turn.id !== this.#turn.id) this.#editor.close();
    this.#turn = turn;
    this.versions.show(isBusy ? null : turn.versions, turn.id);
    this.button.hidden = !turn.id;
    this.#draw();
  }

  edit() {
    if (this.#editor || !this.#turn?.id) return;
    const { id, text } = this.#turn;
    this.#editor = new QuestionEditor({ id, text }, {
      onSend: (typed) => this.onEdit(this.#turn, typed),
      onClose: (hadFocus) => {
        this.#editor = null;
        this.#draw();
        if (hadFocus) this.button.focus({ preventScroll: true });
      },
    });
    this.shown.after(this.#editor.element);
    this.#draw();
    this.#editor.focus();
  }

  #draw() {
    const isEditing = this.#editor !== null;
    this.shown.hidden = isEditing;
    this.element.hidden = isEditing || (this.button.hidden && this.versions.element.hidden);
    this.element.parentNode?.classList.toggle("question--editing", isEditing);
  }
}
