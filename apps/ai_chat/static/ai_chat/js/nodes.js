/** Finished Markdown: node trees of the server as elements, and nothing that is not in the table. */

import { copyButton } from "./clipboard.js";
import { element } from "./dom.js";
import { gettext } from "./texts.js";

const PLAIN = new Set("br strong em del code li thead tbody tr th td hr".split(" "));
// Each is written in its own direction, with everything in it.
const DIRECTED = new Set("p blockquote ul ol".split(" "));
const HEADING = /^h([1-6])$/;
const SAFE = /^(https?:\/\/|mailto:)/i;
// What could be part of an address, also in the forms that only look like it.
const LIKE_ADDRESS = /[.:/@\u2024\u3002\uFF0E\uFF0F\uFF1A\uFF20\uFF61]/;
const ALIGNED = /^(left|center|right)$/;

/** Elements of `nodes`: a node is a text or `[tag, {attributes}?, ...children]`. */
export function renderNodes(nodes) {
  const fragment = document.createDocumentFragment();
  fragment.append(...nodes.map(build));
  return fragment;
}

/** Models leave levels of headings out; what a screen reader tells must not have holes. */
export function outline(place) {
  const above = [];
  for (const node of place.querySelectorAll(".heading")) {
    const level = Number(node.className.at(-1));
    while (above.at(-1) >= level) above.pop();
    above.push(level);
    node.ariaLevel = above.length + 1;
  }
}

function build(node) {
  if (!Array.isArray(node)) return String(node);
  const [tag, ...rest] = node;
  const attributes = isAttributes(rest[0]) ? rest.shift() : {};
  const children = rest.map(build);
  const level = HEADING.exec(tag)?.[1];
  if (level) {
    // Below the page's own first level; outline() knows which levels are really there.
    return element("div", { class: `heading heading--${level}`, role: "heading", "aria-level": Number(level) + 1, dir: "auto" }, ...children);
  }
  if (tag === "a") return link(attributes, children);
  if (tag === "pre") return code(attributes, children);
  if (tag === "table") return scrolling("div", "table", gettext("Table"), directed("table", {}, children));
  if (DIRECTED.has(tag)) return directed(tag, tag === "ol" ? { start: attributes.start } : {}, children);
  if (PLAIN.has(tag)) return element(tag, { class: alignment(attributes) }, ...children);
  return renderNodes(rest);
}

function isAttributes(part) {
  return typeof part === "object" && part !== null && !Array.isArray(part);
}

/** What begins its own direction inside counts as not there when a browser looks for the outer one. */
function directed(tag, attributes, children) {
  const node = element(tag, { ...attributes, dir: "auto" }, ...children);
  for (const inner of node.querySelectorAll("[dir=auto]")) inner.removeAttribute("dir");
  return node;
}

function alignment({ align }) {
  return ALIGNED.test(align) ? `cell--${align}` : undefined;
}

/** A box of its own width that the keyboard can scroll. */
function scrolling(tag, className, label, ...children) {
  return element(tag, { class: className, role: "group", "aria-label": label, tabindex: "0" }, ...children);
}

function code({ lang = "" }, children) {
  const text = scrolling("pre", "code__text", lang || gettext("Code"), ...children);
  const copy = copyButton("icon-button code__copy", gettext("Copy code"), () => text.textContent);
  return element("div", { class: "code", dir: "ltr" }, element("div", { class: "code__bar" }, element("span", {}, lang), copy), text);
}

/** A link says where it leads when its text could name another place; a picture is never fetched. */
function link({ href, host = "", is_image: isImage }, children) {
  const fragment = document.createDocumentFragment();
  fragment.append(...children);
  if (!SAFE.test(href)) return fragment;
  const text = fragment.textContent;
  const isPlain = text === href || text === host || !LIKE_ADDRESS.test(text);
  const shown = isImage || !isPlain ? [" ", element("span", { class: "host", dir: "ltr" }, `(${host})`)] : [];
  const kind = isImage ? [gettext("Picture:"), " "] : [];
  const rel = "noopener noreferrer nofollow ugc";
  return element("a", { href, target: "_blank", rel }, ...kind, fragment, ...shown);
}
