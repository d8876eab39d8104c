/** Theme: light, dark or the system's, kept on this device. */

const KEY = "corral:theme";

/** Bind the radio buttons inside `fieldset` to the page's theme. */
export function bindTheme(fieldset, root = document.documentElement) {
  const stored = root.dataset.theme ?? "auto";
  for (const input of fieldset.querySelectorAll("input")) input.checked = input.value === stored;
  fieldset.addEventListener("change", (event) => {
    root.dataset.theme = event.target.value;
    try {
      if (event.target.value === "auto") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, event.target.value);
    } catch {
      // Storage blocked: the choice lasts until the page is closed.
    }
  });
}
