/** What is kept of the visitor, a copy of it, and its end. */

import { setText } from "./dom.js";
import { fill, gettext, ngettext } from "./texts.js";

export class PrivacyMenu {
  /**
   * parts: {opener, dialog, kept, closer, copy, ask, confirm, sure, cancel, trouble}; api;
   * onErased(): everything is gone.
   */
  constructor(parts, api, onErased) {
    this.parts = parts;
    this.api = api;
    this.onErased = onErased;
    const { opener, dialog, closer, ask, sure, cancel } = parts;
    opener.addEventListener("click", () => this.open());
    closer.addEventListener("click", () => dialog.close());
    ask.addEventListener("click", () => {
      this.#askAgain(true);
      cancel.focus();
    });
    cancel.addEventListener("click", () => {
      this.#askAgain(false);
      ask.focus();
    });
    sure.addEventListener("click", () => this.#erase());
    // A click beside the box closes it.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  async open() {
    const { dialog, kept } = this.parts;
    this.#askAgain(false);
    setText(this.parts.trouble, "");
    dialog.showModal();
    try {
      const { num_conversations: num, retention_days: days } = await this.api.readVisitor();
      setText(kept, [keptSentence(num), timeSentence(days)].join(" "));
      this.#showMeans(num > 0);
    } catch {
      this.#showMeans(true);
    }
  }

  /** With nothing stored there is nothing to copy and nothing to delete. */
  #showMeans(isShown) {
    this.parts.ask.hidden = this.parts.copy.hidden = !isShown;
  }

  #askAgain(isAsking) {
    this.parts.confirm.hidden = !isAsking;
    this.parts.ask.hidden = isAsking;
  }

  async #erase() {
    const { dialog, sure, trouble } = this.parts;
    if (sure.getAttribute("aria-disabled") === "true") return;
    sure.ariaDisabled = "true";
    try {
      await this.api.eraseVisitor();
      dialog.close();
      this.onErased();
    } catch {
      setText(trouble, gettext("Your chats could not be deleted. Please try again."));
    } finally {
      sure.ariaDisabled = "false";
    }
  }
}

function keptSentence(num) {
  if (num === 0) return gettext("Nothing is stored about you yet.");
  return fill(ngettext("%(n)s chat of yours is stored here.", "%(n)s chats of yours are stored here.", num), { n: num });
}

function timeSentence(days) {
  if (!days) return gettext("Chats stay until you delete them.");
  const text = ngettext("A chat is deleted %(n)s day after its last message.", "A chat is deleted %(n)s days after its last message.", days);
  return fill(text, { n: days });
}
