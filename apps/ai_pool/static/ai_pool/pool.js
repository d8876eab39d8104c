// Keeps the status page fresh, and lets staff steer it with keys.
import { PoolLine } from "./pool_line.js";
import { Sparkline, fillPublic, fillStaff, sentence } from "./pool_table.js";

const SPEEDS_S = [1, 2, 5, 10, 20];
const USUAL_S = 1;
const PUBLIC_S = 5;
const PUBLIC_QUIET_S = 10;
const ANNOUNCE_MS = 60000;
const COPIED_MS = 2000;

const find = (name) => document.querySelector(`[data-pool-${name}]`);
const live = find("live");
const bar = find("refresh");
const keys = find("keys");
const isStaff = keys !== null;

const spark = new Sparkline();
let every = isStaff ? USUAL_S : PUBLIC_S;
let isPaused = false;
let farewell = "";
let newest = null;
let updated = performance.now();
let announced = performance.now();

const line = new PoolLine({
  events: live?.dataset.poolEvents,
  part: live?.dataset.poolLive,
  tell: heard,
  replace: replaced,
});

function heard(object) {
  if (object.type === "bye") {
    if (object.why === "signed_out") leave("You are signed out. Reload the page to sign in again.");
    return;
  }
  updated = performance.now();
  if (object.type === "status") {
    newest = object;
    if (isStaff) fillStaff(live, object);
    else fillPublic(live, object);
  }
  if (isStaff && newest) {
    spark.add(newest.decode_tok_s);
    find("spark").textContent = spark.text;
  }
  showAge();
}

function replaced(part) {
  updated = performance.now();
  // A selection is somebody copying numbers: leave them alone.
  if (!String(document.getSelection())) live.replaceChildren(...part.childNodes);
}

function leave(words) {
  farewell = words;
  line.close();
  showAge();
}

function run() {
  if (isPaused || farewell || document.hidden) line.close();
  else line.open(every);
  showAge();
}

function showAge() {
  const seconds = Math.round((performance.now() - updated) / 1000);
  const longest = Math.max(every, line.source && isStaff ? 0 : isStaff ? 5 : PUBLIC_QUIET_S);
  const isStale = Boolean(farewell) || (!isPaused && seconds > 3 * longest + 1);
  live.toggleAttribute("data-stale", isStale);
  const age = isStale ? `Data is ${seconds} s old` : `${seconds}s ago every ${every}s`;
  find("age").textContent = farewell || (isPaused ? `paused, ${seconds}s ago` : age);
  if (performance.now() - announced > ANNOUNCE_MS && !isPaused && !document.hidden) {
    announced = performance.now();
    const state = newest ? sentence(newest) : "";
    find("announce").textContent = `${state} Updated ${seconds} seconds ago.`.trim();
  }
}

function togglePause() {
  isPaused = !isPaused;
  const button = find("pause");
  button.setAttribute("aria-pressed", String(isPaused));
  button.lastChild.textContent = isPaused ? " Go on" : " Pause";
  run();
}

function changeSpeed(step) {
  const at = SPEEDS_S.indexOf(every) - step;
  every = SPEEDS_S[Math.min(SPEEDS_S.length - 1, Math.max(0, at))];
  run();
}

async function copy() {
  const button = find("copy");
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(newest ? newest.shown.copy : live.innerText);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Could not copy";
  }
  find("announce").textContent = button.textContent;
  setTimeout(() => {
    button.textContent = words;
  }, COPIED_MS);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || keys?.open) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const act = {
    p: togglePause,
    "+": () => changeSpeed(1),
    "-": () => changeSpeed(-1),
    d: () => find("drain")?.click(),
    c: () => find("cancel")?.click(),
    "?": () => keys.showModal(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

if (live && bar) {
  bar.hidden = false;
  find("pause").addEventListener("click", togglePause);
  find("slower")?.addEventListener("click", () => changeSpeed(-1));
  find("faster")?.addEventListener("click", () => changeSpeed(1));
  find("copy")?.addEventListener("click", copy);
  find("help")?.addEventListener("click", () => keys.showModal());
  if (isStaff) document.addEventListener("keydown", pressed);
  document.addEventListener("visibilitychange", run);
  setInterval(showAge, 1000);
  run();
}
