/** Fetches what the panel needs beside its code, and builds it. */

import { useCatalog } from "../../ai_chat/js/texts.js";
import { ChatPanel } from "./chat_panel.js";
import { fetchFile } from "./file.js";

const LANGUAGES = "__LANGUAGES__".split(" ");

/** Fetch what the panel needs beside its code, and build it into `host`. setup: {base, version, context?}. */
export async function openPanel(host, { base, version, context }) {
  const files = `${base}/w/${version}`;
  const config = await host.config;
  const language = pickLanguage(host.getAttribute("lang"), config);
  const [css, catalog] = await Promise.all([
    fetchFile(`${files}/panel.css`).then((answer) => answer.text()),
    language === "en" ? {} : fetchFile(`${files}/${language}.json`).then((answer) => answer.json()).catch(() => ({})),
  ]);
  useCatalog(catalog);
  const style = new CSSStyleSheet();
  style.replaceSync(css);
  // The owner's colour comes last.
  host.shadowRoot.adoptedStyleSheets = [...host.shadowRoot.adoptedStyleSheets.slice(0, -1), style, host.look];
  const panel = new ChatPanel(host, { base, version, config, catalog });
  panel.facts.read(context);
  return panel;
}

/** The visitor's language if there are words for it, else the site's, else English. */
function pickLanguage(attribute, config) {
  const wanted = [attribute === "auto" ? null : attribute, document.documentElement.lang, ...navigator.languages, config.default_language];
  const codes = wanted.filter(Boolean).map((code) => code.toLowerCase());
  return codes.flatMap((code) => [code, code.split("-")[0]]).find((code) => LANGUAGES.includes(code)) ?? "en";
}
