// Writes what the server says into the page; touches only what has changed, so a selection stays.
const NUM_BARS = 24;
const BARS = "▁▂▃▄▅▆▇█";
const NOTES = {
  loading: "The assistant is starting.",
  draining: "The assistant is finishing its answers before a restart.",
  paused: "The assistant takes a break.",
};

function write(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function cell(name, text, options = {}) {
  const node = document.createElement(name);
  if (options.className) node.className = options.className;
  if (options.colSpan) node.colSpan = options.colSpan;
  if (name === "th") node.scope = "row";
  if (options.isHidden) node.setAttribute("aria-hidden", "true");
  node.textContent = text;
  return node;
}

/** A cell with links to the pages that ask whether to do something to a request; none without a right. */
function actionsCell(addresses, generation) {
  const known = Object.entries(addresses).filter(([, address]) => address);
  if (!known.length) return [];
  const node = document.createElement("td");
  for (const [word, address] of generation ? known : []) {
    const link = document.createElement("a");
    link.href = `${address}?generation=${encodeURIComponent(generation)}`;
    link.textContent = word;
    node.append(node.hasChildNodes() ? " " : "", link);
  }
  return [node];
}

function instanceRow({ cancel }, [number, state, request, prompt, tokens, speed, bar, context, kv, since, note, generation]) {
  const row = document.createElement("tr");
  row.dataset.state = state;
  const doing = note
    ? [cell("td", note, { className: "note", colSpan: 3 })]
    : [cell("td", request), cell("td", prompt), cell("td", tokens, { className: "number" })];
  row.append(
    cell("th", number, { className: "number" }),
    cell("td", state),
    ...doing,
    cell("td", speed, { className: "number" }),
    cell("td", bar, { className: "bar", isHidden: true }),
    cell("td", context, { className: "number" }),
    cell("td", kv, { className: "number kv" }),
    cell("td", since, { className: "number" }),
    ...actionsCell({ cancel }, state === "idle" ? "" : generation),
  );
  return row;
}

function lineRow({ cancel, front }, [position, ...texts]) {
  const row = document.createElement("tr");
  row.append(cell("th", position), ...texts.slice(0, 4).map((text) => cell("td", text)), ...actionsCell({ cancel, front }, texts[4]));
  return row;
}

function fillTable(region, rows) {
  if (!region) return;
  region.hidden = rows.length === 0;
  const body = region.querySelector("tbody");
  rows.forEach((row, index) => {
    const old = body.rows[index];
    if (!old) body.append(row);
    else if (old.cells.length !== row.cells.length) old.replaceWith(row);
    else {
      if (row.dataset.state) old.dataset.state = row.dataset.state;
      [...row.cells].forEach((fresh, at) => {
        if (old.cells[at].innerHTML !== fresh.innerHTML) old.cells[at].replaceChildren(...fresh.childNodes);
      });
    }
  });
  while (body.rows.length > rows.length) body.deleteRow(-1);
}

function fillNumbers(node, texts) {
  if (!node) return;
  while (node.children.length > texts.length) node.lastElementChild.remove();
  texts.forEach((text, index) => {
    if (!node.children[index]) node.append(document.createElement("span"), " ");
    write(node.children[index], text);
  });
}

/** Everything, for staff. */
export function fillStaff(live, status) {
  const find = (name) => live.querySelector(`[data-pool-${name}]`);
  const { shown } = status;
  write(find("text"), shown.text);
  write(find("head"), shown.head);
  const head = find("head");
  if (head) head.dataset.state = status.state;
  write(find("model"), shown.model);
  write(find("reason"), shown.reason);
  find("reason")?.toggleAttribute("hidden", !shown.reason);
  fillNumbers(find("numbers"), shown.numbers);
  fillTable(find("instances"), shown.rows.map((row) => instanceRow(live.dataset, row)));
  fillTable(find("line"), shown.line.map((row) => lineRow(live.dataset, row)));
  write(find("ended"), shown.ended);
  find("ended")?.toggleAttribute("hidden", !shown.ended);
}

/** The public numbers. */
export function fillPublic(live, { state, available, instances, in_use: inUse, waiting, wait_s: waitS }) {
  const lines = [`Available: ${available}/${instances}`, `In Use: ${inUse}`, `Waiting: ${waiting}`];
  write(live.querySelector("[data-pool-text]"), ["Pool Status:", ...lines].join("\n   "));
  write(live.querySelector("[data-pool-note]"), publicNote(state, waiting, waitS));
}

function publicNote(state, waiting, waitS) {
  if (state !== "ready") return NOTES[state] ?? "The assistant is not available at the moment.";
  if (waitS) return `The wait is about ${waitS < 60 ? `${waitS} s` : `${Math.ceil(waitS / 60)} min`}.`;
  return waiting ? "Questions are answered in turn." : "Nobody has to wait.";
}

/** One sentence for those who listen. */
export function sentence(status) {
  const total = typeof status.instances === "number" ? status.instances : status.num_instances;
  const waiting = status.num_waiting ?? status.waiting;
  return `Pool ${status.state}: ${status.available} of ${total} available, ${waiting} waiting.`;
}

/** The last few speeds as little columns. */
export class Sparkline {
  #values = [];

  add(value) {
    this.#values = [...this.#values, value].slice(-NUM_BARS);
  }

  get text() {
    const most = Math.max(...this.#values, 1);
    return this.#values.map((value) => BARS[Math.round((value / most) * (BARS.length - 1))]).join("");
  }
}
