// Copy buttons: each names the element whose text it copies.

const SHOWN_MS = 2000;

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button));
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.firstChild;
  const before = "Copy";
  try {
    await navigator.clipboard.writeText(source.textContent);
    label.data = "Copied";
  } catch {
    // Without https there is no clipboard; the reader's own Ctrl+C copies the selection.
    getSelection().selectAllChildren(source);
    label.data = "Press Ctrl+C";
  }
  setTimeout(() => (label.data = before), SHOWN_MS);
}
