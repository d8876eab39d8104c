/** The list of past conversations: search, rename, delete with undo. */

import { button, element } from "./dom.js";
import { fill, gettext, ngettext } from "./texts.js";

const SEARCH_FROM = 6;
const REFRESH_AFTER_MS = 250;
const DAY_MS = 86_400_000;

export class Sidebar {
  #items = [];
  #hidden = new Set();
  #current = null;
  #renaming = null;
  #refreshTimer = 0;
  #hasLoaded = false;

  /**
   * parts: {nav, search, searchBox}; api, toast; actions: {addressOf(id), onOpen(id), onDeleted(id),
   * onRestored(id), onFailed(sentence)}.
   */
  constructor(parts, api, toast, actions) {
    this.parts = parts;
    this.api = api;
    this.toast = toast;
    this.actions = actions;
    parts.search.addEventListener("input", () => this.#draw());
    window.addEventListener("pagehide", () => toast.flush());
  }

  /** Read the list again soon; calls in quick succession become one. */
  refresh() {
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = setTimeout(() => this.#load(), this.#hasLoaded ? REFRESH_AFTER_MS : 0);
  }

  /** Mark the open conversation (null: a new one). */
  mark(id) {
    if (id === this.#current) return;
    this.#current = id;
    this.#draw();
  }

  titleOf(id) {
    return this.#items.find((item) => item.id === id)?.title ?? "";
  }

  async #load() {
    // Without a network the next welcome refreshes the list.
    if (navigator.onLine === false) return;
    try {
      this.#items = await this.api.listConversations();
      this.#hasLoaded = true;
      if (this.#renaming === null) this.#draw();
    } catch {
      // The list stays as it is; the next answer refreshes it.
    }
  }

  #draw() {
    const wanted = this.parts.search.value.trim().toLocaleLowerCase();
    const items = this.#items.filter((item) => !this.#hidden.has(item.id));
    this.parts.searchBox.hidden = items.length < SEARCH_FROM && wanted === "";
    const found = items.filter((item) => nameOf(item).toLocaleLowerCase().includes(wanted));
    const focused = document.activeElement?.closest?.("[data-conversation]")?.dataset.conversation;
    this.parts.nav.replaceChildren(...groups(found).flatMap(([name, members]) => [
      element("h2", { className: "history__group" }, name),
      element("ul", { className: "history__list" }, ...members.map((item) => this.#entry(item))),
    ]));
    if (found.length === 0) {
      const sentence = wanted ? gettext("Nothing found.") : gettext("Your conversations appear here.");
      this.parts.nav.append(element("p", { className: "history__none" }, sentence));
    }
    if (focused) this.#focusOn(focused);
  }

  #entry(item) {
    const isCurrent = item.id === this.#current;
    const link = element("a", {
      className: "history__link",
      href: this.actions.addressOf(item.id),
      "aria-current": isCurrent ? "page" : null,
      title: nameOf(item),
    }, element("span", { className: "history__title", dir: "auto" }, nameOf(item)));
    if (item.num_unread > 0 && !isCurrent) link.append(unreadMark(item.num_unread));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.actions.onOpen(item.id);
    });
    const rename = button("icon-button history__action", fill(gettext("Rename %(name)s"), { name: nameOf(item) }), { iconName: "edit", text: "" });
    const remove = button("icon-button history__action", fill(gettext("Delete %(name)s"), { name: nameOf(item) }), { iconName: "delete", text: "" });
    const entry = element("li", {
      className: `history__item${isCurrent ? " history__item--current" : ""}`,
      "data-conversation": item.id,
    }, link, rename, remove);
    rename.addEventListener("click", () => this.#startRename(item, entry));
    remove.addEventListener("click", () => this.#remove(item, entry));
    return entry;
  }

  #startRename(item, entry) {
    const input = element("input", {
      className: "history__input",
      maxlength: "120",
      "aria-label": gettext("New name"),
    });
    input.value = nameOf(item);
    this.#renaming = item.id;
    entry.replaceChildren(input);
    input.focus();
    input.select();
    const finish = (isKept) => {
      if (this.#renaming !== item.id) return;
      this.#renaming = null;
      const title = input.value.trim();
      if (isKept && title !== "" && title !== nameOf(item)) this.#rename(item, title);
      this.#draw();
      this.#focusOn(item.id);
    };
    input.addEventListener("blur", () => finish(true));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) finish(true);
      if (event.key === "Escape") {
        event.preventDefault();
        finish(false);
      }
    });
  }

  async #rename(item, title) {
    const before = item.title;
    item.title = title;
    try {
      await this.api.renameConversation(item.id, title);
    } catch {
      item.title = before;
      this.#draw();
      this.actions.onFailed(gettext("The new name could not be saved."));
    }
  }

  #remove(item, entry) {
    const next = entry.nextElementSibling ?? entry.previousElementSibling;
    this.#hidden.add(item.id);
    this.#draw();
    if (next) this.#focusOn(next.dataset.conversation);
    this.actions.onDeleted(item.id);
    this.toast.show(gettext("Conversation deleted"), gettext("Undo"), () => {
      this.#hidden.delete(item.id);
      this.#draw();
      this.actions.onRestored(item.id);
      this.#focusOn(item.id);
    }, () => this.#removeForGood(item));
  }

  async #removeForGood(item) {
    try {
      await this.api.deleteConversation(item.id);
      this.#items = this.#items.filter((other) => other.id !== item.id);
    } catch (error) {
      if (error.status === 404) return;
      this.#hidden.delete(item.id);
      this.#draw();
      this.actions.onFailed(gettext("The conversation could not be deleted."));
    }
  }

  #focusOn(id) {
    this.parts.nav.querySelector(`[data-conversation="${CSS.escape(id)}"] a`)?.focus({ preventScroll: true });
  }
}

function nameOf(item) {
  return item.title || gettext("New conversation");
}

/** A dot for answers nobody has seen yet, with the number for those who cannot see it. */
function unreadMark(num) {
  const text = fill(ngettext("%(n)s new answer", "%(n)s new answers", num), { n: num });
  return element("span", { className: "history__unread" }, element("span", { className: "visually-hidden" }, ` (${text})`));
}

/** Newest first, under Today, Yesterday, Last 7 days and Earlier. */
function groups(items) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const byName = new Map();
  for (const item of items) {
    const at = Date.parse(item.updated);
    let name = gettext("Earlier");
    if (at >= midnight) name = gettext("Today");
    else if (at >= midnight - DAY_MS) name = gettext("Yesterday");
    else if (at >= midnight - 7 * DAY_MS) name = gettext("Last 7 days");
    byName.set(name, [...(byName.get(name) ?? []), item]);
  }
  return [...byName];
}
