/** Scrolling that never takes the page out of the reader's hands. */

const NEAR_PX = 48;

export class ScrollKeeper {
  #isFollowing = false;

  /** scroller: the element that scrolls; jump: the "Jump to latest" button. */
  constructor(scroller, jump) {
    this.scroller = scroller;
    this.jump = jump;
    for (const type of ["wheel", "touchmove"]) {
      scroller.addEventListener(type, () => this.#release(), { passive: true });
    }
    scroller.addEventListener("keydown", (event) => {
      if (["PageUp", "Home", "ArrowUp"].includes(event.key)) this.#release();
    });
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    jump.addEventListener("click", () => {
      this.toEnd();
      scroller.querySelector(".transcript").focus({ preventScroll: true });
    });
  }

  /** Put a new turn at the top; its answer grows below it. */
  anchor(turnElement) {
    this.#isFollowing = false;
    const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    turnElement.scrollIntoView({ block: "start", behavior: reduced ? "auto" : "smooth" });
  }

  /** Show the end and stay there while it grows. */
  toEnd() {
    this.#isFollowing = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#look();
  }

  /** The transcript has grown. The end of an answer moves nothing: somebody may be reading it. */
  grown(isLive) {
    if (this.#isFollowing && isLive) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#look();
  }

  page(direction) {
    this.#release();
    this.scroller.scrollBy({ top: direction * 0.85 * this.scroller.clientHeight });
  }

  toStart() {
    this.#release();
    this.scroller.scrollTop = 0;
  }

  /** How much of the last answer lies below the window; the empty room under it does not count. */
  get #distance() {
    const last = this.scroller.querySelector(".turn--last")?.lastElementChild;
    if (!last) return 0;
    return last.getBoundingClientRect().bottom - this.scroller.getBoundingClientRect().bottom;
  }

  #release() {
    this.#isFollowing = false;
    requestAnimationFrame(() => this.#look());
  }

  #look() {
    this.jump.hidden = this.#distance < NEAR_PX;
  }
}
