/** Where the visitor writes. Nothing typed is ever lost: drafts are kept per conversation. */

import { countPoints } from "./codepoints.js";
import { setText } from "./dom.js";
import { lengthSentence, overSentence } from "./phrases.js";
import { keep, recall } from "./storage.js";
import { gettext } from "./texts.js";

const COUNTER_FROM = 0.8;
// A second click of a double click must not stop what the first one sent.
const STOP_AFTER_MS = 500;

export class Composer {
  #isLive = false;
  #liveSince = 0;
  #isComposing = false;
  #draftKey = "corral:draft:new";

  /** parts: {form, text, button, count, notice}; actions: {onSend(text) => taken, onStop(), onKey(event), for keys without Shift and the like}. */
  constructor(parts, actions, maxChars) {
    this.parts = parts;
    this.actions = actions;
    this.maxChars = maxChars;
    const { form, text } = parts;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#isLive) this.#stop();
      else this.#send();
    });
    text.addEventListener("input", () => {
      this.notice("");
      this.#changed();
    });
    text.addEventListener("keydown", (event) => this.#pressed(event));
    text.addEventListener("compositionstart", () => (this.#isComposing = true));
    // Safari ends the composition before it reports the Enter that ended it.
    text.addEventListener("compositionend", () => setTimeout(() => (this.#isComposing = false)));
  }

  /** Switch to the draft of another conversation (null: a new one). */
  open(conversation) {
    this.#draftKey = draftKey(conversation);
    this.parts.text.value = recall(this.#draftKey, "");
    this.notice("");
    this.#changed();
  }

  /** A new conversation got its name: the draft goes with it. */
  rename(conversation) {
    keep(this.#draftKey, null);
    this.#draftKey = draftKey(conversation);
    this.#changed();
  }

  /** Give a text back that could not be sent; what has been typed since stays behind it. */
  giveBack(text) {
    const typed = this.parts.text.value;
    this.parts.text.value = typed.trim() === "" ? text : `${text}\n${typed}`;
    this.#changed();
  }

  /** An answer is running: the button stops it. */
  setLive(isLive) {
    if (isLive === this.#isLive) return;
    this.#isLive = isLive;
    this.#liveSince = performance.now();
    this.notice("");
    this.parts.button.ariaLabel = isLive ? gettext("Stop") : gettext("Send");
    this.parts.form.classList.toggle("composer--live", isLive);
    this.#changed();
  }

  setMaxChars(maxChars) {
    this.maxChars = maxChars;
    this.#changed();
  }

  notice(text) {
    setText(this.parts.notice, text);
    this.parts.notice.hidden = text === "";
  }

  // <page>
  /** Send what is written, as if Enter had been pressed. */
  take() {
    this.#send();
  }

  // </page>
  focus() {
    this.parts.text.focus({ preventScroll: true });
  }

  get isEmpty() {
    return this.parts.text.value === "";
  }

  #pressed(event) {
    const isModified = event.shiftKey || event.ctrlKey || event.altKey || event.metaKey;
    if (isModified || event.isComposing || this.#isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.#send();
    } else {
      this.actions.onKey(event);
    }
  }

  #send() {
    const text = this.parts.text.value.trim();
    if (text === "") return;
    if (this.#isLive) {
      this.notice(gettext("I'm still on your last question. Your text stays here."));
      return;
    }
    const over = this.#over(text);
    if (over > 0) {
      this.notice(overSentence(over));
      return;
    }
    this.notice("");
    this.parts.text.value = "";
    this.#changed();
    this.actions.onSend(text);
  }

  #stop() {
    if (performance.now() - this.#liveSince > STOP_AFTER_MS) this.actions.onStop();
  }

  #over(text) {
    return countPoints(text) - this.maxChars;
  }

  #changed() {
    const { text, button, count } = this.parts;
    const typed = text.value.trim();
    const over = this.#over(typed);
    keep(this.#draftKey, text.value === "" ? null : text.value);
    text.style.blockSize = "auto";
    text.style.blockSize = `${text.scrollHeight}px`;
    text.ariaInvalid = over > 0;
    button.ariaDisabled = !this.#isLive && (typed === "" || over > 0);
    count.hidden = over < (COUNTER_FROM - 1) * this.maxChars;
    count.classList.toggle("composer__count--over", over > 0);
    setText(count, lengthSentence(over + this.maxChars, this.maxChars));
  }
}

/** Keep `text` as the draft of a conversation that is not open. */
export function keepDraft(conversation, text) {
  const key = draftKey(conversation);
  const typed = recall(key, "");
  keep(key, typed === "" ? text : `${text}\n${typed}`);
}

function draftKey(conversation) {
  return `corral:draft:${conversation ?? "new"}`;
}
