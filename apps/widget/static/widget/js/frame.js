/** The panel's elements, built once. Everything visible is made here or in the shared views. */

import { button, element, icon } from "../../ai_chat/js/dom.js";
import { PATHS } from "../../ai_chat/js/icons.js";
import { gettext } from "../../ai_chat/js/texts.js";

// Drawings only the panel has.
Object.assign(PATHS, {
  down: "M12 5v13.5M6 13l6 6 6-6",
  new: "M12 5v14M5 12h14",
  options: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M12 19V5.5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  wider: "M14 5h5v5M19 5l-6 6M10 19H5v-5M5 19l6-6",
});

/** Names of the parts as the rest of the panel knows them. */
export function buildFrame(config) {
  const name = config.assistant_name || gettext("Assistant");
  const hidden = { hidden: "" };
  const statusText = element("span");
  const status = element("p", { className: "header__status" }, element("span", { className: "header__dot", "aria-hidden": "true" }), statusText);
  // Always said, before the first message: nobody should wonder whether this is a person.
  const title = element("h2", { className: "header__name", id: "panel-name", dir: "auto", tabindex: "-1" }, name);
  const label = element("span", { className: "header__label", id: "panel-kind" }, gettext("AI assistant"));
  const fresh = button("icon-button", gettext("New chat"), { iconName: "new", text: "" });
  const wider = button("icon-button header__wider", gettext("Wider"), { iconName: "wider", text: "" });
  const options = button("icon-button", gettext("Options and privacy"), { iconName: "options", text: "" });
  const close = button("icon-button header__close", gettext("Close"), { iconName: "close", text: "" });
  wider.setAttribute("aria-pressed", "false");
  options.setAttribute("aria-expanded", "false");
  options.setAttribute("aria-controls", "panel-sheet");
  const logo = element("canvas", { className: "header__logo", width: "72", height: "72", "aria-hidden": "true", ...hidden });
  const header = element("header", { className: "header", part: "header" },
    logo, element("div", { className: "header__who" }, title, element("div", { className: "header__line" }, label, status)), fresh, wider, options, close);

  const barText = element("p");
  const bar = element("div", { className: "bar", ...hidden }, barText);

  const skeleton = element("div", { className: "skeleton", "aria-hidden": "true", ...hidden }, element("i"), element("i"), element("i"));
  const greeting = element("h3", { className: "empty__title", dir: "auto" }, config.greeting || gettext("How can I help?"));
  const starters = element("ul", { className: "starters", "aria-label": gettext("Things to ask") },
    ...(config.starters ?? []).map((text) => element("li", {}, button("starter", text))));
  starters.hidden = starters.children.length === 0;
  const empty = element("section", { className: "empty", "aria-label": gettext("Start") }, greeting, starters);
  const jump = element("button", { className: "jump", type: "button", ...hidden }, icon("down"), element("span", {}, gettext("Jump to latest")));
  const transcript = element("ol", { className: "transcript", id: "transcript", tabindex: "0", "aria-label": gettext("Conversation"), ...hidden });
  const scroller = element("div", { className: "scroller" }, skeleton, empty, jump, transcript);

  const context = element("p", { className: "context", ...hidden });
  const notice = element("p", { className: "composer__notice", ...hidden });
  const text = element("textarea", {
    className: "composer__text", rows: "1", enterkeyhint: "send", dir: "auto", "aria-label": gettext("Your message"),
    placeholder: gettext("Your message"), "aria-describedby": "panel-legal panel-count",
  });
  const send = element("button", { className: "composer__button", type: "submit", "aria-label": gettext("Send"), "aria-disabled": "true" }, icon("send"), icon("stop"));
  send.firstChild.classList.add("composer__icon", "composer__icon--send");
  send.lastChild.classList.add("composer__icon", "composer__icon--stop");
  const count = element("p", { className: "composer__count", id: "panel-count", ...hidden });
  const privacy = button("link-button", gettext("Privacy"));
  const consent = element("section", { className: "consent", "aria-label": gettext("Before you send"), ...hidden });
  const form = element("form", { className: "composer", part: "composer", novalidate: "", autocomplete: "off" },
    consent, context, notice, element("div", { className: "composer__box" }, text, send),
    element("div", { className: "composer__foot" }, element("p", { id: "panel-legal" }, gettext("AI can be wrong.")), count, privacy));
  const away = element("p", { className: "away", dir: "auto", ...hidden });
  const sheet = element("section", { className: "sheet", id: "panel-sheet", "aria-label": gettext("Options and privacy"), ...hidden });

  const log = element("div", { className: "visually-hidden", role: "log", "aria-live": "polite", "aria-relevant": "additions" });
  const state = element("div", { className: "visually-hidden", role: "status" });
  const alert = element("div", { className: "visually-hidden", role: "alert" });
  const body = element("div", { className: "body" }, scroller, sheet);
  const frame = element("div", { className: "frame" }, header, bar, body, form, away, log, state, alert);
  const dialog = element("dialog", { className: "panel", id: "panel", part: "panel", "aria-labelledby": "panel-name panel-kind" }, frame);
  return {
    dialog, frame, title, status, statusText, fresh, wider, options, close, logo, bar, barText, skeleton, empty, starters, jump,
    transcript, scroller, context, notice, text, send, count, privacy, consent, form, away, sheet, log, state, alert,
  };
}
