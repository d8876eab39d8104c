// Keeps the operator's page fresh: numbers from the pool's stream, the rest now and then.
const board = document.querySelector("[data-board]");
const get = (name) => board.querySelector(`[data-${name}]`);
const all = (name, root = board) => [...root.querySelectorAll(`[data-${name}]`)];
const PART_MS = 30000, SOON_MS = 3000, TOUCH_MS = 8000, SAY_MS = 60000;
// Without a stream: asking is dearer than being told.
const POLL_S = 4, STREAM_AGAIN_MS = 60000;

const count = (n) => Math.round(n).toLocaleString("en");
const short = (n) => (n < 10 ? n.toFixed(1) : count(n));
const time = (s) =>
  s < 120 ? `${short(s)} s`
  : s < 7200 ? `${count(s / 60)} min`
  : s < 172800 ? `${(s / 3600).toFixed(1)} h` : `${(s / 86400).toFixed(1)} days`;
const size = (b) => (b < 1e9 ? `${short(b / 1e6)} MB` : `${short(b / 1e9)} GB`);
const percent = (n) => `${Math.min(100, Math.floor(100 * n))} %`;
const id = (text) => text.slice(0, 8) || "–";
const units = {
  COUNT: count, SECONDS: time, BYTES: size, ID: id, TEXT: String,
  SHARE: (n) => `${count(100 * n)} %`,
  RATE: (n) => (n ? `${short(n)} tok/s` : "–"),
  SPEED: (n) => (n ? short(n) : "–"),
  OF: (n, now) => `${n} / ${now.num_instances}`,
  PROMPT: (one) => (one.num_prompt ? percent(one.num_prompt_done / one.num_prompt) : "–"),
  CONTEXT: (one, now) => percent(one.num_kv_tokens / (now.model?.n_ctx || Infinity)),
  NOTE: (one) =>
    one.unwatched_s >= 15 ? "nobody watches"
    : one.state === "idle" && one.holds_conversation ? "holds a conversation" : "",
};

// What may be done to one who waits.
const actions = document.createElement("td");
actions.className = "doing";
actions.append(get("do")?.content.cloneNode(true) ?? "");
let every = 1, isPaused = false, source = null, timer = 0, sign = "", lost = 0;
let heard = performance.now(), said = heard, swapped = heard, touched = 0;

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function show(now) {
  for (const node of all("live")) {
    const value = node.dataset.live.split(".").reduce((part, key) => part?.[key], now);
    const text = now.pid && value != null ? units[node.dataset.unit](value, now) : "–";
    if (node.max) node.value = parseInt(text);
    else write(node, text);
    node.dataset.is = text;
  }
  for (const link of all("cancel")) {
    const one = now.instances[link.dataset.cancel];
    link.hidden = !one?.generation || one.state === "idle";
    link.search = `generation=${one?.generation}`;
  }
  const body = get("line");
  if (now.line && !body.contains(document.activeElement)) {
    body.replaceChildren(...now.line.map((one) => {
      const row = document.createElement("tr");
      const eta = [one.eta_p50_s, one.eta_p90_s].filter((s) => s !== null).map(time).join(" to ");
      for (const text of [one.position, id(one.generation), time(one.waited_s), eta || "–", one.visitor])
        row.insertCell().textContent = text;
      const links = actions.cloneNode(true);
      for (const link of links.children) link.search = `generation=${one.generation}`;
      if (links.children.length) row.append(links);
      return row;
    }));
    get("line-box").hidden = !now.line.length;
    get("nobody").hidden = now.line.length;
  }
  heard = performance.now();
  const news = [now.state, now.life, now.memory.level, now.instances.length, now.reason].join();
  if (sign && news !== sign) swapped = Math.min(swapped, heard - PART_MS + SOON_MS);
  sign = news;
}

async function ask(address) {
  const answer = await fetch(address, { signal: AbortSignal.timeout(8000) });
  if (!answer.ok || answer.redirected) throw new Error(answer.status);
  return answer.text();
}

const interval = () => (source ? every : Math.max(every, POLL_S));

async function poll() {
  if (source) lost = performance.now();
  source?.close();
  source = null;
  clearTimeout(timer);
  if (performance.now() - lost > STREAM_AGAIN_MS) return listen();
  // The age shows it; the next round tries again.
  await ask(board.dataset.json).then((text) => show(JSON.parse(text))).catch(() => {});
  if (!source && !isPaused && !document.hidden) timer = setTimeout(poll, 1000 * interval());
}

function listen() {
  clearTimeout(timer);
  source?.close();
  source = null;
  if (isPaused || document.hidden) return;
  heard = performance.now();
  source = new EventSource(`${board.dataset.events}?every=${every}`);
  const on = source.addEventListener.bind(source);
  on("status", (event) => show(JSON.parse(event.data)));
  on("same", () => (heard = performance.now()));
  // Signed out: the same address now asks for a sign-in.
  on("bye", ({ data }) => JSON.parse(data).why === "signed_out" && location.reload());
  on("error", () => source?.readyState === 2 && poll());
}

async function swap() {
  swapped = performance.now();
  const html = await ask(board.dataset.part).catch(() => "");
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const old of all("swap")) {
    const fresh = page.getElementById(old.id);
    const isUsed = old.contains(document.activeElement) || `${getSelection()}` ||
      (old.id === "plots" && swapped - touched < TOUCH_MS);
    if (!fresh || isUsed) continue;
    for (const { dataset } of old.querySelectorAll("details[open]"))
      fresh.querySelector(`[data-key="${dataset.key}"]`)?.setAttribute("open", "");
    old.replaceWith(fresh);
  }
}

function tick() {
  const now = performance.now();
  const age = Math.round((now - heard) / 1000);
  const isStale = !isPaused && age > 3 * interval() + 1;
  board.toggleAttribute("data-stale", isStale);
  const words = isStale ? `Data is ${age} s old` : `updated ${age} s ago`;
  write(get("age"), isPaused ? "paused" : words);
  if (isPaused || document.hidden) return;
  if (source && isStale) poll();
  if (now - swapped > PART_MS) swap();
  if (now - said < SAY_MS) return;
  said = now;
  write(get("announce"), `Updated ${age} s ago. ${get("verdict").textContent}`);
}

function point({ target, clientX }) {
  const plot = target.closest?.("[data-plot]");
  for (const other of all("plot")) {
    const rows = other.querySelectorAll("tbody tr");
    if (!rows.length) continue;
    const box = other.querySelector("[data-grid]").getBoundingClientRect();
    const at = Math.floor(((clientX - box.left) / box.width) * rows.length);
    const row = other === plot ? rows[Math.min(rows.length - 1, Math.max(0, at))] : null;
    all("last", other).forEach((node, i) => write(node, row?.cells[i].textContent ?? node.dataset.last));
    if (row) touched = performance.now();
    const x = row ? `${(100 * row.sectionRowIndex + 50) / rows.length}%` : -9999;
    other.querySelector(".plot-cursor").setAttribute("x", x);
  }
}

get("bar").hidden = false;
get("pause").addEventListener("click", ({ currentTarget }) => {
  isPaused = !isPaused;
  currentTarget.setAttribute("aria-pressed", isPaused);
  listen();
  tick();
});
get("every").addEventListener("input", ({ target }) => {
  every = +target.value;
  write(get("every-text"), `${every} s`);
});
get("every").addEventListener("change", listen);
document.addEventListener("visibilitychange", listen);
document.addEventListener("pointermove", point);
setInterval(tick, 1000);
listen();
