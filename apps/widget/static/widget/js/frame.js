/** The panel's elements, built once. Everything visible is made here or in the shared views. */

import { button, element, icon } from "../../ai_chat/js/dom.js";
import { PATHS } from "../../ai_chat/js/icons.js";
import { gettext } from "../../ai_chat/js/texts.js";

// Drawings only the panel has.
Object.assign(PATHS, {
  down: "M12 5v13.5M6 13l6 6 6-6",
  fresh: "M12 5v14M5 12h14",
  options: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M12 19V5.5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  wider: "M14 5h5v5M19 5l-6 6M10 19H5v-5M5 19l6-6",
});

/** Names of the parts as the rest of the panel knows them. */
export function buildFrame(config) {
  const parts = {};
  /** An element the rest of the panel knows by name. */
  const part = (name, ...given) => (parts[name] = element(...given));
  const tool = (name, className, label, attributes) => {
    const node = (parts[name] = button(`icon-button ${className}`, label, { iconName: name, text: "" }));
    for (const attribute in attributes) node.setAttribute(attribute, attributes[attribute]);
    return node;
  };
  const hidden = { hidden: "" };
  const quiet = { "aria-hidden": "true" };
  const heard = (name, role, attributes) => part(name, "div", { className: "visually-hidden", role, ...attributes });

  const header = element("header", { className: "header", part: "header" },
    part("logo", "canvas", { className: "header__logo", width: 72, height: 72, ...quiet, ...hidden }),
    element("div", { className: "header__who" },
      part("title", "h2", { className: "header__name", id: "panel-name", dir: "auto", tabindex: -1 }, config.assistant_name || gettext("Assistant")),
      element("div", { className: "header__line" },
        // Always said, before the first message: nobody should wonder whether this is a person.
        element("span", { className: "header__label", id: "panel-kind" }, gettext("AI assistant")),
        part("status", "p", { className: "header__status" }, element("span", { className: "header__dot", ...quiet }), part("statusText", "span")))),
    tool("fresh", "", gettext("New chat")),
    tool("wider", "header__wider", gettext("Wider"), { "aria-pressed": false }),
    tool("options", "", gettext("Options and privacy"), { "aria-expanded": false, "aria-controls": "panel-sheet" }),
    tool("close", "header__close", gettext("Close")));

  const starters = part("starters", "ul", { className: "starters", "aria-label": gettext("Things to ask") },
    ...(config.starters ?? []).map((text) => element("li", {}, button("starter", text))));
  starters.hidden = !starters.firstChild;
  const scroller = part("scroller", "div", { className: "scroller" },
    part("skeleton", "div", { className: "skeleton", ...quiet, ...hidden }, element("i"), element("i"), element("i")),
    part("empty", "section", { className: "empty", "aria-label": gettext("Start") },
      element("h3", { className: "empty__title", dir: "auto" }, config.greeting || gettext("How can I help?")), starters),
    part("jump", "button", { className: "jump", type: "button", ...hidden }, icon("down"), element("span", {}, gettext("Jump to latest"))),
    part("transcript", "ol", { className: "transcript", tabindex: 0, "aria-label": gettext("Conversation"), ...hidden }));

  const label = gettext("Your message");
  parts.privacy = button("link-button", gettext("Privacy"));
  const form = part("form", "form", { className: "composer", part: "composer", novalidate: "", autocomplete: "off" },
    part("consent", "section", { className: "consent", "aria-label": gettext("Before you send"), ...hidden }),
    part("context", "p", { className: "context", ...hidden }),
    part("notice", "p", { className: "composer__notice", ...hidden }),
    element("div", { className: "composer__box" },
      part("text", "textarea", { className: "composer__text", rows: 1, enterkeyhint: "send", dir: "auto", "aria-label": label, placeholder: label, "aria-describedby": "panel-legal panel-count" }),
      part("send", "button", { className: "composer__button", "aria-label": gettext("Send"), "aria-disabled": true }, icon("send"), icon("stop"))),
    element("div", { className: "composer__foot" },
      element("p", { id: "panel-legal" }, gettext("AI can be wrong.")), part("count", "p", { className: "composer__count", id: "panel-count", ...hidden }), parts.privacy));

  part("dialog", "dialog", { className: "panel", id: "panel", part: "panel", "aria-labelledby": "panel-name panel-kind" },
    part("frame", "div", { className: "frame" },
      header, part("bar", "div", { className: "bar", ...hidden }, part("barText", "p")),
      element("div", { className: "body" },
        scroller, part("sheet", "section", { className: "sheet", id: "panel-sheet", "aria-label": gettext("Options and privacy"), ...hidden })),
      form, part("away", "p", { className: "away", dir: "auto", ...hidden }),
      heard("log", "log", { "aria-live": "polite", "aria-relevant": "additions" }), heard("state", "status"), heard("alert", "alert")));
  return parts;
}
