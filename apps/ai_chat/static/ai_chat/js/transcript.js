/** The transcript in the page: one list item per turn, drawn at most once per frame. */

import { AnswerRow } from "./answer_row.js";
import { Conversation } from "./conversation.js";
import { element } from "./dom.js";
import { QuestionRow } from "./question_row.js";
import { gettext } from "./texts.js";

const TICK_MS = 250;

export class Transcript {
  #rows = new Map();
  #conversation = new Conversation();
  #isScheduled = false;
  #tick = 0;

  /**
   * keeper: ScrollKeeper; actions: {onStop, onRetry, onView(answer, view), isOnline()}, and where the
   * visitor may do so {onProceed, onAsk, onRate, onSelect, onEdit}. `extras` builds what only some
   * pages have: {versions(onSelect), reasons(onGiven), questionTools(shown, actions)}.
   */
  constructor(list, keeper, actions) {
    this.divider = element("li", { class: "divider" },
      element("span", {}, gettext("Earlier messages are no longer in the model's memory")));
    this.list = list;
    this.keeper = keeper;
    this.actions = actions;
  }

  /** Show another conversation, or the same one read again. */
  show(conversation) {
    const isSame = conversation.id !== null && conversation.id === this.#conversation.id;
    this.#conversation = conversation;
    if (!isSame) this.#rows.clear();
    else this.#adoptRows();
    this.#draw();
    if (!isSame) this.keeper.toEnd();
  }

  /** A turn was added by the visitor: bring it to the top. */
  anchorLast() {
    this.#draw();
    this.list.querySelector(".turn--anchored")?.classList.remove("turn--anchored");
    const row = this.#rows.get(this.#conversation.lastTurn);
    row.item.classList.add("turn--anchored");
    this.keeper.anchor(row.item);
  }

  /** Something changed; drawing waits for the next frame. */
  changed() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const draw = () => {
      this.#isScheduled = false;
      this.#draw();
    };
    // Frames stand still in hidden pages, states must not.
    if (document.hidden) setTimeout(draw, TICK_MS);
    else requestAnimationFrame(draw);
  }

  // <page>
  /** Edit the newest question that can be edited. */
  editLast() {
    const turn = this.#conversation.turns.findLast(({ id, text }) => id && text !== "");
    this.#rows.get(turn)?.question.tools?.edit();
  }

  // </page>
  /** Rows of turns that were read again keep their elements, so nothing flickers and the focus stays. */
  #adoptRows() {
    const old = [...this.#rows.entries()];
    this.#rows.clear();
    for (const turn of this.#conversation.turns) {
      let match = old.find(([{ id, cid }]) => (turn.id && id === turn.id) || (turn.cid && cid === turn.cid));
      // <page>
      match ??= old.find(([{ id }]) => id && turn.versions?.ids.includes(id));
      // </page>
      if (match) this.#rows.set(turn, match[1]);
    }
  }

  #draw() {
    const { turns, numForgotten } = this.#conversation;
    const now = performance.now();
    const items = [];
    turns.forEach((turn, index) => {
      if (numForgotten > 0 && index === numForgotten) items.push(this.divider);
      items.push(this.#rowOf(turn, now).item);
    });
    placeInOrder(this.list, items);
    for (const turn of this.#rows.keys()) if (!turns.includes(turn)) this.#rows.delete(turn);
    for (const turn of turns) this.#drawTurn(turn, now);
    this.list.hidden = turns.length === 0;
    this.keeper.grown(this.#conversation.liveTurn !== null);
    this.#keepTicking(this.#conversation.liveTurn !== null);
  }

  #rowOf(turn, now) {
    const known = this.#rows.get(turn);
    if (known) return known;
    const question = new QuestionRow(this.actions);
    const answer = new AnswerRow(this.actions, now);
    const item = element("li", { class: "turn" }, question.element, answer.element);
    const row = { item, question, answer };
    this.#rows.set(turn, row);
    return row;
  }

  #drawTurn(turn, now) {
    const { item, question, answer } = this.#rows.get(turn);
    const isOnline = this.actions.isOnline();
    const isLast = turn === this.#conversation.lastTurn;
    const isBusy = this.#conversation.liveTurn !== null;
    question.render(turn, { isOnline, isBusy });
    item.classList.toggle("turn--last", isLast);
    answer.element.hidden = turn.answer === null;
    if (turn.answer === null) return;
    this.actions.onView(turn.answer, answer.render(turn.answer, { now, isOnline, isLast, isBusy }));
  }

  #keepTicking(isLive) {
    if (isLive && !this.#tick) this.#tick = setInterval(() => this.changed(), TICK_MS);
    if (!isLive && this.#tick) {
      clearInterval(this.#tick);
      this.#tick = 0;
    }
  }
}

/** Make `items` the children of `list`, moving only what is out of place. */
function placeInOrder(list, items) {
  items.forEach((item, index) => {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  while (list.children.length > items.length) list.lastElementChild.remove();
}
