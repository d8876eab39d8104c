/** The owner's notice before the first message: the text stays as typed until it is agreed to. */

import { button, element } from "../../ai_chat/js/dom.js";
import { gettext } from "../../ai_chat/js/texts.js";

export class Consent {
  /** parts: {consent, text}; identity notes the agreement; onAgreed() sends what was typed. */
  constructor({ consent, text }, { notice, identity, announcer, onAgreed }) {
    Object.assign(this, { box: consent, text, identity, announcer, onAgreed });
    const yes = button("text-button consent__yes", gettext("Agree and send"));
    const no = button("text-button", gettext("Not now"));
    yes.onclick = () => this.#answer(true);
    no.onclick = () => this.#answer(false);
    this.yes = yes;
    consent.append(
      element("p", { dir: "auto" }, notice || gettext("Your messages are stored on this site's server and answered by an AI.")),
      element("div", { class: "sheet__row" }, yes, no),
    );
    this.isAgreed = identity.hasAgreed;
  }

  ask() {
    this.box.hidden = false;
    this.text.readOnly = true;
    this.announcer.status(gettext("Please read before sending."));
    this.yes.focus();
  }

  #answer(isAgreed) {
    this.box.hidden = true;
    this.text.readOnly = false;
    this.text.focus({ preventScroll: true });
    if (!isAgreed) return;
    this.isAgreed = true;
    this.identity.note({ agreed: true });
    this.onAgreed();
  }
}
