/** The file of the panel: its style, and how it is built into the host element. */

import { ChatPanel } from "./chat_panel.js";

const STYLE = "__STYLE__";

/** setup: {base, version, context?}; config: what the owner set for the site. */
export function openPanel(host, setup, config) {
  const style = new CSSStyleSheet();
  style.replaceSync(STYLE);
  host.shadowRoot.adoptedStyleSheets.push(style);
  return new ChatPanel(host, setup, config);
}
