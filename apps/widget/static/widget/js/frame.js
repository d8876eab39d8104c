/** The panel's elements, built once. Everything visible is made here or in the shared views. */

import { button, element, icon } from "../../ai_chat/js/dom.js";
import { PATHS } from "../../ai_chat/js/icons.js";
import { gettext } from "../../ai_chat/js/texts.js";

// Drawings only the panel has.
Object.assign(PATHS, {
  down: "M12 5v14M6 13l6 6 6-6",
  fresh: "M12 5v14M5 12h14",
  options: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  wider: "M14 5h5v5M19 5l-6 6M10 19H5v-5M5 19l6-6",
});

/** Names of the parts as the rest of the panel knows them. */
export function buildFrame(config) {
  const parts = {};
  /** An element the rest of the panel knows by name. */
  const part = (name, ...given) => (parts[name] = element(...given));
  const tool = (name, label, attributes) =>
    part(name, "button", { class: `icon-button header__${name}`, type: "button", "aria-label": label, ...attributes }, icon(name));
  const hidden = { hidden: "" };
  const quiet = { "aria-hidden": "true" };
  const heard = (name, role, attributes) => part(name, "div", { class: "visually-hidden", role, ...attributes });

  const header = element("header", { class: "header", part: "header" },
    part("logo", "canvas", { class: "header__logo", ...quiet, ...hidden }),
    element("div", { class: "header__who" },
      part("title", "h2", { class: "header__name", id: "panel-name", tabindex: -1 }, element("bdi", {}, config.assistant_name || gettext("Assistant"))),
      element("div", { class: "header__line" },
        // Always said, before the first message: nobody should wonder whether this is a person.
        element("span", { class: "header__label", id: "panel-kind" }, gettext("AI assistant")),
        part("status", "p", { class: "header__status" }, element("span", { class: "header__dot", ...quiet }), part("statusText", "span")))),
    tool("fresh", gettext("New chat")),
    tool("wider", gettext("Wider"), { "aria-pressed": false }),
    tool("options", gettext("Options and privacy"), { "aria-expanded": false, "aria-controls": "panel-sheet" }),
    tool("close", gettext("Close")));

  const starters = part("starters", "ul", { class: "starters", "aria-label": gettext("Things to ask") },
    ...(config.starters ?? []).map((text) => element("li", {}, button("chip starter", text))));
  starters.hidden = !starters.firstChild;
  const scroller = part("scroller", "div", { class: "scroller" },
    part("skeleton", "div", { class: "skeleton", ...quiet, ...hidden }, element("i"), element("i"), element("i")),
    part("empty", "div", { class: "empty" },
      element("h3", { class: "empty__title", dir: "auto" }, config.greeting || gettext("How can I help?")), starters),
    part("jump", "button", { class: "jump text-button", type: "button", ...hidden }, icon("down"), element("span", {}, gettext("Jump to latest"))),
    part("transcript", "ol", { class: "transcript", tabindex: 0, "aria-label": gettext("Conversation"), ...hidden }));

  const label = gettext("Your message");
  parts.privacy = button("link-button", gettext("Privacy"));
  const form = part("form", "form", { class: "composer", part: "composer" },
    part("consent", "div", { class: "consent", ...hidden }),
    part("context", "p", { class: "context", ...hidden }),
    part("notice", "p", { class: "composer__notice", ...hidden }),
    element("div", { class: "composer__box" },
      part("text", "textarea", { class: "composer__text", rows: 1, enterkeyhint: "send", dir: "auto", "aria-label": label, placeholder: label, "aria-describedby": "panel-legal panel-count" }),
      part("send", "button", { class: "composer__button", "aria-label": gettext("Send"), "aria-disabled": true }, icon("send"), icon("stop"))),
    element("div", { class: "composer__foot" },
      element("p", { id: "panel-legal" }, gettext("AI can be wrong.")), part("count", "p", { class: "composer__count", id: "panel-count", ...hidden }), parts.privacy));

  part("dialog", "dialog", { class: "panel", id: "panel", part: "panel", "aria-labelledby": "panel-name panel-kind" },
    part("frame", "div", { class: "frame" },
      header, part("bar", "div", { class: "bar", ...hidden }, part("barText", "p")),
      element("div", { class: "body" },
        scroller, part("sheet", "section", { class: "sheet", id: "panel-sheet", "aria-label": gettext("Options and privacy"), ...hidden })),
      form, part("away", "p", { class: "away", dir: "auto", ...hidden }),
      heard("log", "log", { "aria-live": "polite" }), heard("state", "status"), heard("alert", "alert")));
  return parts;
}
