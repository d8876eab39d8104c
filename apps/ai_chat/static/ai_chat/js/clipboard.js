/** Copying, and the button that says that it has been done. */

import { button, element, setLook } from "./dom.js";
import { gettext } from "./texts.js";

const COPIED_MS = 1_600;

/** A button that copies what `read()` returns. */
export function copyButton(className, label, read) {
  const node = button(className, label, { iconName: "copy", text: "" });
  node.addEventListener("click", async () => {
    if (!(await copyText(read(), node))) return;
    setLook(node, "check", gettext("Copied"));
    setTimeout(() => setLook(node, "copy", label), COPIED_MS);
  });
  return node;
}

/** The clipboard interface is missing on plain http origins other than localhost. */
async function copyText(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    near.after(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    near.focus();
    return isCopied;
  }
}
