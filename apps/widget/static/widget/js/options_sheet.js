/** The sheet behind "Options and privacy": how answers are read, what is kept, a copy, and an end to it. */

import { button, element, setText } from "../../ai_chat/js/dom.js";
import { inUnit } from "../../ai_chat/js/phrases.js";
import { fill, gettext } from "../../ai_chat/js/texts.js";

export class OptionsSheet {
  /**
   * parts: {sheet, options, privacy}; announcer; remote: Remote; site: {retention_days, privacy_url,
   * full_page}; onErase(), onOpenPage() => address: both may throw an answer of the server.
   */
  constructor({ sheet, options, privacy }, given) {
    Object.assign(this, given, { sheet, opener: options });
    const { announcer, site } = given;
    this.kept = element("p", {});
    this.result = element("p", { role: "status" });
    this.ask = element("div", { class: "consent", hidden: "" },
      element("p", {}, gettext("Delete all your chats here? This cannot be undone.")));
    const reading = element("select", { class: "chip select", id: "panel-reading" },
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
    this.ask.append(element("div", { class: "sheet__row" }, yes, no));
    const done = action(gettext("Back to the chat"), () => this.toggle(false));
    this.page = action(gettext("Open the full page"), () => this.#openPage());
    sheet.append(
      element("h3", {}, gettext("Your data")), this.kept,
      element("div", { class: "sheet__row" }, copy, this.erase), this.ask, this.result,
    );
    if (/^https?:/.test(site.privacy_url ?? "")) {
      sheet.append(element("p", {}, element("a", { href: site.privacy_url, target: "_blank", rel: "noopener" }, gettext("Privacy policy"))));
    }
    sheet.append(
      element("h3", {}, gettext("Screen reader")),
      element("label", { for: "panel-reading" }, gettext("Read answers")), reading,
      element("div", { class: "sheet__row" }, done, this.page),
    );
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
    this.page.hidden = !this.site.full_page || !this.remote.isKnown;
    if (isOpen) this.sheet.querySelector("button").focus();
    else this.opener.focus();
  }

  #keptSentence() {
    const days = this.site.retention_days;
    const kept = days
      ? fill(gettext("Your chats are kept for %(time)s after the last message, then deleted."), { time: inUnit(days, "day") })
      : gettext("Your chats are kept until you delete them.");
    const here = this.remote.identity.isBlocked
      ? gettext("This browser stores nothing here, so you lose sight of them when you leave.")
      : gettext("This browser keeps only a key to them.");
    return `${kept} ${here}`;
  }

  #showQuestion(isShown, isQuiet = false) {
    this.ask.hidden = !isShown;
    if (isShown) this.no.focus();
    else if (!isQuiet) this.erase.focus();
  }

  async #export() {
    try {
      const address = URL.createObjectURL(await this.remote.exportChats());
      element("a", { href: address, download: "chats.json" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      setText(this.result, gettext("Your chats were downloaded."));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The tab is opened at once, while the click still counts. */
  async #openPage() {
    const tab = window.open();
    try {
      tab.opener = null;
      tab.location = await this.onOpenPage();
    } catch (error) {
      tab?.close();
      this.#failed(error);
    }
  }

  async #eraseAll() {
    try {
      await this.onErase();
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
