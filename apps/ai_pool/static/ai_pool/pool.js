// Keeps the status fresh: asks for the changing part every two seconds, rests in a hidden tab.
const INTERVAL_MS = 2000;
const TIMEOUT_MS = 5000;
const ANNOUNCE_MS = 60000;

const live = document.querySelector("[data-pool-live]");
const bar = document.querySelector("[data-pool-refresh]");
const pause = document.querySelector("[data-pool-pause]");
const age = document.querySelector("[data-pool-age]");
const announce = document.querySelector("[data-pool-announce]");

let isPaused = false;
let updated = performance.now();
let announced = performance.now();
let timer = 0;

async function refresh() {
  try {
    const answer = await fetch(live.dataset.poolLive, {
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // A selection is somebody copying numbers: leave them alone.
    if (!String(document.getSelection())) live.replaceChildren(...page.body.childNodes);
    updated = performance.now();
  } catch {
    // Shown by its age; the next round tries again.
  }
}

function showAge() {
  const seconds = Math.round((performance.now() - updated) / 1000);
  const isStale = seconds * 1000 > 3 * INTERVAL_MS + 1000;
  live.toggleAttribute("data-stale", isStale && !isPaused);
  age.textContent = isPaused ? "paused" : isStale ? `data is ${seconds} s old` : `${seconds} s ago, every 2 s`;
  if (performance.now() - announced > ANNOUNCE_MS && !isPaused) {
    announced = performance.now();
    announce.textContent = `Pool updated ${seconds} seconds ago`;
  }
}

async function round() {
  clearTimeout(timer);
  if (!isPaused && !document.hidden) await refresh();
  timer = setTimeout(round, INTERVAL_MS);
}

if (live && bar) {
  bar.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Go on" : "Pause";
    showAge();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) round();
  });
  setInterval(showAge, 1000);
  showAge();
  timer = setTimeout(round, INTERVAL_MS);
}
