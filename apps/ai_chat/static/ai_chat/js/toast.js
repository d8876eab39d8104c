/** A short note with one action, such as Undo. Stays while it has pointer or focus. */

import { setText } from "./dom.js";

const SHOWN_MS = 7_000;

export class Toast {
  #timer = 0;
  #onAction = null;
  #onExpire = null;

  /** parts: {box, text, button}. */
  constructor(parts) {
    this.parts = parts;
    const { box, button } = parts;
    button.addEventListener("click", () => this.#close(this.#onAction));
    for (const type of ["pointerenter", "focusin"]) box.addEventListener(type, () => clearTimeout(this.#timer));
    for (const type of ["pointerleave", "focusout"]) box.addEventListener(type, () => this.#restart());
  }

  /** Show `text`; exactly one of onAction (button) and onExpire (time, or the next toast) is called. */
  show(text, action, onAction, onExpire = () => {}) {
    this.flush();
    this.#onAction = onAction;
    this.#onExpire = onExpire;
    setText(this.parts.text, text);
    setText(this.parts.button, action);
    this.parts.box.hidden = false;
    this.#restart();
  }

  /** End the shown toast now, as if its time were over. */
  flush() {
    if (!this.parts.box.hidden) this.#close(this.#onExpire);
  }

  #restart() {
    clearTimeout(this.#timer);
    if (!this.parts.box.hidden) this.#timer = setTimeout(() => this.flush(), SHOWN_MS);
  }

  #close(then) {
    clearTimeout(this.#timer);
    this.parts.box.hidden = true;
    then?.();
  }
}
