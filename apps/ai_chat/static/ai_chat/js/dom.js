/** Building elements without markup strings. */

import { PATHS } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element with class, attributes and children; strings become text nodes. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (let [name, value] of Object.entries(attributes)) {
    // <page>
    if (name === "className") name = "class";
    // </page>
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** A drawing of icons.js; the style gives it size and stroke. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon icon--${name}`);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export function button(className, label, { iconName = null, text = label } = {}) {
  const node = element("button", { class: className, type: "button" });
  if (iconName) node.append(icon(iconName));
  if (text) node.append(element("span", {}, text));
  else node.ariaLabel = label;
  return node;
}

/** Change the text only when it differs, so that nothing repaints or is read twice. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Give a button without words its drawing and its name. */
export function setLook(node, iconName, label) {
  node.replaceChildren(icon(iconName));
  node.ariaLabel = label;
}
