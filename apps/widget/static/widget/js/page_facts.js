/** What the host page says about itself; shown to the visitor before it is sent with a question. */

import { button, element } from "../../ai_chat/js/dom.js";
import { gettext } from "../../ai_chat/js/texts.js";

const MAX_FACTS = 10;
const MAX_CHARS = 200;

export class PageFacts {
  #facts = {};

  /**
   * line: the element that shows the facts; readsPage: the owner wants the page's title too;
   * onDropped(): the visitor does not want it sent.
   */
  constructor(line, readsPage, onDropped) {
    this.onDropped = onDropped;
    this.line = line;
    this.readsPage = readsPage;
    this.show();
  }

  /** Take what the script tag says about its page, if that can be read. */
  read(text) {
    try {
      const facts = JSON.parse(text);
      if (!Array.isArray(facts) && typeof facts === "object") this.set(facts);
    } catch {
      // It says nothing, or nothing of use.
    }
  }

  /** Take at most ten short plain values. */
  set(facts) {
    const isPlain = ([, value]) => ["string", "number", "boolean"].includes(typeof value);
    const entries = Object.entries(facts ?? {}).filter(isPlain).slice(0, MAX_FACTS);
    this.#facts = Object.fromEntries(entries.map(([name, value]) => [name.slice(0, 40), typeof value === "string" ? value.slice(0, MAX_CHARS) : value]));
    this.show();
  }

  /** For `message.send`; undefined when there is nothing. */
  get forQuestion() {
    return Object.keys(this.#facts).length > 0 ? this.#facts : undefined;
  }

  /** For `hello`; only where the owner asked for it. */
  get page() {
    if (!this.readsPage) return undefined;
    return { path: location.pathname.slice(0, MAX_CHARS), title: document.title.slice(0, MAX_CHARS) };
  }

  show() {
    const shown = Object.entries(this.#facts).map(([name, value]) => `${name}: ${value}`);
    if (this.readsPage) shown.unshift(document.title || location.pathname);
    this.line.hidden = shown.length === 0;
    const drop = button("icon-button", gettext("Do not send this"), { iconName: "close", text: "" });
    drop.addEventListener("click", () => {
      const wasRead = this.readsPage;
      this.readsPage = false;
      this.set({});
      if (wasRead) this.onDropped();
    });
    this.line.replaceChildren(element("span", { dir: "auto" }, `${gettext("Sent with your question:")} ${shown.join(", ")}`), drop);
  }
}
