/** The commands of the host page, `Corral("open")`; fetched with the first one. */

const OPTIONS = new Set(["site", "lang", "theme", "mode"]);
// What the panel does.
const OF_PANEL = new Set(["identify", "shutdown", "ask", "new", "stop", "context", "forget"]);
const warned = new Set();

/** Do what waits in the queue of `corral`. */
export function run(chat, corral) {
  for (const command of corral.q.splice(0)) {
    const [name, ...values] = command;
    obey(chat, corral, name, values, command.isGesture).then(command.resolve, command.reject ?? (() => {}));
  }
}

async function obey(chat, corral, name, values, isGesture) {
  if (OF_PANEL.has(name)) return (await chat.panel()).obey(name, values, isGesture);
  if (!Object.hasOwn(COMMANDS, name)) {
    if (!warned.has(name)) console.warn(`Corral: there is no method "${name}".`);
    warned.add(name);
    return undefined;
  }
  return COMMANDS[name](chat, ...values, corral);
}

const COMMANDS = {
  boot(chat, options) {
    adopt(chat, options);
    if (chat.site && !chat.isConnected) document.body.append(chat);
  },
  update: adopt,
  open: (chat) => chat.open(),
  close: (chat) => chat.close(),
  toggle: (chat) => chat.toggle(),
  hide: (chat) => void (chat.hidden = true),
  show: (chat) => void (chat.hidden = false),
  on(chat, name, listener) {
    const heard = ({ detail }) => listener(detail);
    listeners.set(listener, heard);
    chat.addEventListener(`corral:${name}`, heard);
    if (name === "ready" && chat.isReady) listener({});
  },
  off: (chat, name, listener) => chat.removeEventListener(`corral:${name}`, listeners.get(listener)),
  get: (chat, { version }) => ({
    open: chat.isOpen,
    unread: chat.unread,
    state: chat.state ?? "closed",
    conversation: chat.conversation ?? null,
    version,
  }),
};
const listeners = new Map();

/** Take options of `boot` or `update`. */
function adopt(chat, options = {}) {
  for (const [name, value] of Object.entries(options)) {
    if (OPTIONS.has(name)) chat.setAttribute(name, value);
    if (name === "launcher") chat.setAttribute("launcher", value && value !== "hidden" ? "shown" : "hidden");
    if (name === "z") chat.style.setProperty("--corral-z", value);
    if (name === "page") chat.page = value;
    if (name === "inset") {
      for (const axis of "xy") chat.style.setProperty(`--corral-inset-${axis}`, `${value[axis] ?? value}px`);
    }
  }
}
