/** The words of an answer: finished blocks as elements, and the rest as one growing text node. */

import { element } from "./dom.js";
import { outline, renderNodes } from "./nodes.js";

export class AnswerText {
  #shown = [];
  #tail = document.createTextNode("");

  constructor() {
    this.tail = element("p", { class: "answer__tail", dir: "auto" }, this.#tail);
    this.element = element("div", { class: "answer__text" }, this.tail);
  }

  /** Show what `answer` has now; true if that is not what was shown. */
  write(answer) {
    const hasNewBlocks = this.#writeBlocks(answer.shownBlocks);
    const hasNewTail = this.#writeTail(answer.shownTail);
    return hasNewBlocks || hasNewTail;
  }

  /** Blocks that stay keep their elements: what is selected or focused there is not disturbed. */
  #writeBlocks(blocks) {
    const num = blocks.findIndex((block, index) => this.#shown[index]?.block !== block);
    const numKept = num === -1 ? blocks.length : num;
    if (numKept === this.#shown.length && numKept === blocks.length) return false;
    for (const { box } of this.#shown.splice(numKept)) box.remove();
    for (const block of blocks.slice(numKept)) {
      const box = element("div", { class: "block" }, renderNodes(block.nodes));
      this.tail.before(box);
      this.#shown.push({ block, box });
    }
    outline(this.element);
    return true;
  }

  #writeTail(text) {
    const shown = this.#tail.data;
    // Empty lines between blocks are the style's business.
    const wanted = this.#shown.length ? text.replace(/^\s*(\n|$)/, "") : text;
    if (wanted === shown) return false;
    if (wanted.startsWith(shown)) this.#tail.appendData(wanted.slice(shown.length));
    else this.#tail.data = wanted;
    return true;
  }
}
