/** The sheet behind "Options and privacy": how answers are read, what is kept, a copy, and an end to it. */

import { button, element, setText } from "../../ai_chat/js/dom.js";
import { fill, gettext, ngettext } from "../../ai_chat/js/texts.js";

export class OptionsSheet {
  /**
   * parts: {sheet, options, privacy}; announcer; actions: {onExport() => blob, onErase()}, both may
   * throw an answer of the server; site: {retention_days, privacy_url}; isBlocked() => this browser stores nothing.
   */
  constructor({ sheet, options, privacy }, { announcer, actions, site, isBlocked }) {
    Object.assign(this, { sheet, opener: options, announcer, actions, isBlocked });
    this.kept = element("p", {});
    this.result = element("p", { role: "status" });
    this.ask = element("div", { className: "sheet__ask", hidden: "" },
      element("p", {}, gettext("Delete all your chats here? This cannot be undone.")));
    const reading = element("select", { className: "select", id: "panel-reading" },
      ...[["live", gettext("as they come")], ["finished", gettext("when finished")], ["off", gettext("not at all")]]
        .map(([value, label]) => element("option", { value }, label)));
    reading.value = announcer.mode;
    reading.onchange = () => announcer.setMode(reading.value);
    const copy = action(gettext("Download my chats"), () => this.#export());
    this.erase = action(gettext("Delete my chats"), () => this.#showQuestion(true));
    this.erase.classList.add("sheet__danger");
    const yes = action(gettext("Delete"), () => this.#eraseAll());
    yes.classList.add("sheet__danger");
    const no = action(gettext("Keep them"), () => this.#showQuestion(false));
    this.no = no;
    this.ask.append(element("div", { className: "sheet__row" }, yes, no));
    const done = action(gettext("Back to the chat"), () => this.toggle(false));
    sheet.append(
      element("h3", {}, gettext("Your data")), this.kept,
      element("div", { className: "sheet__row" }, copy, this.erase), this.ask, this.result,
    );
    if (/^https?:/.test(site.privacy_url ?? "")) {
      sheet.append(element("p", {}, element("a", { href: site.privacy_url, target: "_blank", rel: "noopener" }, gettext("Privacy policy"))));
    }
    sheet.append(
      element("h3", {}, gettext("Screen reader")),
      element("label", { for: "panel-reading" }, gettext("Read answers")), reading,
      element("div", { className: "sheet__end" }, done),
    );
    this.days = site.retention_days;
    for (const opener of [options, privacy]) opener.onclick = () => this.toggle();
  }

  get isOpen() {
    return !this.sheet.hidden;
  }

  toggle(isOpen = !this.isOpen) {
    if (isOpen === this.isOpen) return;
    this.sheet.hidden = !isOpen;
    this.opener.ariaExpanded = isOpen;
    this.#showQuestion(false, true);
    setText(this.result, "");
    setText(this.kept, this.#keptSentence());
    if (isOpen) this.sheet.querySelector("button").focus();
    else this.opener.focus();
  }

  #keptSentence() {
    const kept = this.days
      ? fill(ngettext("Your chats are kept for %(n)s day after the last message, then deleted.", "Your chats are kept for %(n)s days after the last message, then deleted.", this.days), { n: this.days })
      : gettext("Your chats are kept until you delete them.");
    const here = this.isBlocked()
      ? gettext("This browser stores nothing for this page, so you lose sight of them when you leave it.")
      : gettext("This browser keeps a key to them from your first message on; the chats themselves stay on the server.");
    return `${kept} ${here}`;
  }

  #showQuestion(isShown, isQuiet = false) {
    this.ask.hidden = !isShown;
    if (isShown) this.no.focus();
    else if (!isQuiet) this.erase.focus();
  }

  async #export() {
    try {
      const address = URL.createObjectURL(await this.actions.onExport());
      element("a", { href: address, download: "chats.json" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      setText(this.result, gettext("Your chats were downloaded."));
    } catch (error) {
      this.#failed(error);
    }
  }

  async #eraseAll() {
    try {
      await this.actions.onErase();
      this.#showQuestion(false);
      setText(this.result, gettext("Your chats were deleted."));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Nobody has a token before the first message, so there is nothing of them either. */
  #failed({ status }) {
    setText(this.result, status === 401 ? gettext("There are no chats of yours here.") : gettext("That did not work. Please try again."));
  }
}

function action(label, onClick) {
  const node = button("text-button", label);
  node.onclick = onClick;
  return node;
}
