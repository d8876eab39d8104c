/** How the panel stands in the window: beside the page, or over all of it where there is little room. */

const SMALL = "(max-width: 479.98px), (max-height: 519.98px)";

export class WindowShape {
  #small = matchMedia(SMALL);

  constructor(dialog, { isEmbedded }) {
    this.dialog = dialog;
    this.isEmbedded = isEmbedded;
    this.#small.addEventListener("change", () => dialog.open && this.#again());
    for (const type of ["resize", "scroll"]) visualViewport.addEventListener(type, () => this.#fit());
  }

  get isFull() {
    return this.#small.matches && !this.isEmbedded;
  }

  /** Over the whole window nothing of the page may be reached; beside it everything. */
  open() {
    this.dialog.classList.toggle("panel--full", this.isFull);
    if (this.isFull) this.dialog.showModal();
    else this.dialog.show();
    this.#fit();
  }

  close() {
    this.dialog.close();
  }

  #again() {
    const focused = this.dialog.getRootNode().activeElement;
    this.dialog.close();
    this.open();
    focused?.focus({ preventScroll: true });
  }

  /** The keyboard of a phone takes room away from below. */
  #fit() {
    const { height, offsetTop, scale } = visualViewport;
    const { style } = this.dialog;
    if (!this.isFull || scale > 1.01) return;
    style.setProperty("--corral-height", `${Math.round(height)}px`);
    style.setProperty("--corral-top", `${Math.round(offsetTop)}px`);
  }
}
