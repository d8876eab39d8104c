// The site form: the look as it is chosen, and the length of the instructions as they are written.

import { contrast, textOn } from "./contrast.js";

const COUNT_AFTER_MS = 400;

showLook();
showCount();

function showLook() {
  const accent = document.getElementById("id_accent");
  const template = document.getElementById("accent-preview-template");
  if (!accent || !template) return;
  const preview = template.content.firstElementChild.cloneNode(true);
  accent.closest(".form-row").append(preview);
  const theme = document.getElementById("id_theme");
  const name = document.getElementById("id_assistant_name");
  const update = () => {
    const text = textOn(accent.value);
    preview.style.setProperty("--look-accent", accent.value);
    preview.style.setProperty("--look-on-accent", text);
    preview.dataset.theme = theme.value;
    preview.querySelector(".look-name").textContent = name.value;
    const ratio = Math.round(contrast(accent.value, text) * 10) / 10;
    preview.querySelector(".look-contrast").textContent = `${accent.value}, contrast ${ratio} : 1`;
  };
  for (const field of [accent, theme, name]) field.addEventListener("input", update);
  update();
}

function showCount() {
  const field = document.getElementById("id_instructions");
  const template = document.getElementById("token-count-template");
  if (!field || !template) return;
  const panel = template.content.firstElementChild.cloneNode(true);
  field.closest(".form-row").append(panel);
  const number = panel.querySelector(".token-number");
  let timer = 0;
  let asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const body = new URLSearchParams({ text: field.value });
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      const answer = await fetch(panel.dataset.countUrl, {
        method: "POST",
        body,
        headers: { "X-CSRFToken": token },
      });
      if (!answer.ok) throw new Error(answer.status);
      const count = await answer.json();
      if (mine === asked) show(panel, number, Number(field.dataset.maxTokens), count);
    } catch {
      if (mine === asked) number.textContent = "The length could not be counted just now.";
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, COUNT_AFTER_MS);
  });
  ask();
}

function show(panel, number, most, count) {
  const quantity = count.is_exact ? `${count.number}` : `At most ${count.number}`;
  const basis = count.is_exact ? "" : " (estimated; the assistant that counts exactly is not running)";
  number.textContent = `${quantity} of ${most} tokens${basis}`;
  number.classList.toggle("is-over", count.number > most);
  panel.querySelector(".whole-prompt").textContent = count.prompt;
}
