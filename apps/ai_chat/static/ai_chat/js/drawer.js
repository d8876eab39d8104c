/** The sidebar as a drawer on narrow screens: closed it is inert, open it holds the focus. */

const NARROW = "(max-width: 51.99rem)";

export class Drawer {
  #narrow = matchMedia(NARROW);
  #isOpen = false;

  /** parts: {sidebar, main, backdrop, opener, closer}. */
  constructor(parts) {
    this.parts = parts;
    parts.opener.addEventListener("click", () => this.open());
    parts.closer.addEventListener("click", () => this.close());
    parts.backdrop.addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#isOpen && !event.defaultPrevented) this.close();
    });
    this.#narrow.addEventListener("change", () => this.#apply(false));
    this.#apply(false);
  }

  open() {
    this.#apply(true);
    this.parts.closer.focus();
  }

  /** Close if open; the focus goes back to the button that opened it. */
  close() {
    if (!this.#isOpen) return;
    this.#apply(false);
    this.parts.opener.focus();
  }

  #apply(isOpen) {
    const { sidebar, main, backdrop, opener } = this.parts;
    this.#isOpen = isOpen && this.#narrow.matches;
    sidebar.inert = this.#narrow.matches && !this.#isOpen;
    main.inert = this.#isOpen;
    backdrop.hidden = !this.#isOpen;
    sidebar.classList.toggle("sidebar--open", this.#isOpen);
    opener.ariaExpanded = this.#isOpen;
  }
}
