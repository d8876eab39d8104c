/** Puts the parts of the page together. */

import { Announcer } from "./announcer.js";
import { Api } from "./api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { element } from "./dom.js";
import { Drawer } from "./drawer.js";
import { bindLanguage } from "./language_menu.js";
import { Narrator } from "./narrator.js";
import { Outbox } from "./outbox.js";
import { Place } from "./place.js";
import { PostLine } from "./post_line.js";
import { PrivacyMenu } from "./privacy_menu.js";
import { QuestionTools } from "./question_tools.js";
import { ReadMarks } from "./read_marks.js";
import { ReasonForm } from "./reason_form.js";
import { ScrollKeeper } from "./scroll_keeper.js";
import { Sidebar } from "./sidebar.js";
import { Connection } from "./socket.js";
import { StatusLine } from "./status_line.js";
import { forgetAll, keep, recall, scopeStorage } from "./storage.js";
import { gettext, language, useCatalog } from "./texts.js";
import { bindTheme } from "./theme.js";
import { Toast } from "./toast.js";
import { Transcript } from "./transcript.js";
import { VersionSwitch } from "./version_switch.js";

const JUST_NAMED = "corral:just-named";
const JUST_NAMED_MS = 5_000;
// What may change the list of conversations.
const IN_LIST = new Set([
  "welcome", "message.ack", "conversation.updated", "conversation.deleted", "gen.created", "gen.snapshot", "gen.done", "gen.error",
]);

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("corral-data").textContent);
useCatalog(data.texts);
const siteTitle = document.title;
const hasFinePointer = matchMedia("(pointer: fine)").matches;

const place = new Place(data.site);
scopeStorage(data.site ? `site:${data.site}` : "page");
const api = new Api(data.api, place.query);
const announcer = new Announcer({
  log: byId("announce-log"),
  status: byId("announce-status"),
  alert: byId("announce-alert"),
});
const narrator = new Narrator(announcer);
const toast = new Toast({ box: byId("toast"), text: byId("toast-text"), button: byId("toast-button") });
const drawer = new Drawer({
  sidebar: byId("sidebar"),
  main: byId("main"),
  backdrop: byId("backdrop"),
  opener: byId("menu"),
  closer: byId("sidebar-close"),
});
const keeper = new ScrollKeeper(byId("scroller"), byId("jump"));
const transcript = new Transcript(byId("transcript"), keeper, {
  onStop: (answer) => chat.stop(answer),
  onRetry: (answer) => leaveFor(() => chat.retry(answer)),
  onProceed: (answer) => leaveFor(() => chat.proceed(answer)),
  onAsk: (text) => leaveFor(() => chat.ask(text)),
  onRate: (answer, given) => chat.rate(answer, given),
  onSelect: (message) => chat.select(message),
  onEdit: (turn, text) => leaveFor(() => chat.edit(turn, text)),
  onView: (answer, view) => narrator.observe(answer, view),
  isOnline: () => connection.isOnline,
  extras: {
    versions: (onSelect) => new VersionSwitch(onSelect),
    reasons: (onGiven) => new ReasonForm(onGiven),
    questionTools: (shown, actions) => new QuestionTools(shown, actions),
  },
});
const composer = new Composer(
  {
    form: byId("composer"),
    text: byId("composer-text"),
    button: byId("composer-button"),
    count: byId("composer-count"),
    notice: byId("composer-notice"),
  },
  { onSend: (text) => chat.send(text), onStop: () => chat.stop(), onKey: pressed },
  data.max_chars,
);
const sidebar = new Sidebar(
  { nav: byId("history"), search: byId("search"), searchBox: byId("search-box") },
  api,
  toast,
  {
    addressOf: (id) => place.addressOf(id),
    onOpen: (id) => open(id),
    onDeleted: (id) => id === chat.conversation.id && chat.open(null),
    onRestored: (id) => chat.conversation.id === null && composer.isEmpty && open(id),
    onFailed: (sentence) => toast.show(sentence, gettext("OK"), () => {}),
  },
);
const statusLine = new StatusLine(
  { box: byId("status"), text: byId("status-text"), bar: byId("bar"), barText: byId("bar-text") },
  readPool,
  announcer,
);
const chat = new Chat({
  api,
  outbox: new Outbox(),
  views: { transcript, composer, statusLine, announcer, narrator, onOpened, onNamed, onChanged },
});
const connection = new Connection({
  url: new URL(data.ws_path, location.href.replace(/^http/, "ws")).href,
  hello: () => ({ ...chat.helloFrame(), ...place.hello }),
  isBusy: () => chat.isBusy,
  onFrame: received,
  onLink: (link) => chat.linkChanged(link),
  fallback: () => () => new PostLine({ base: data.api, headers: () => api.headers("POST"), query: [`lang=${language()}`, place.query].filter(Boolean).join("&") }),
});
chat.connection = connection;
const readMarks = new ReadMarks(connection, () => chat.conversation);
new PrivacyMenu(
  {
    opener: byId("privacy-open"),
    dialog: byId("privacy"),
    kept: byId("privacy-kept"),
    closer: byId("privacy-close"),
    copy: byId("privacy-copy"),
    ask: byId("privacy-ask"),
    confirm: byId("privacy-confirm"),
    sure: byId("privacy-sure"),
    cancel: byId("privacy-cancel"),
    trouble: byId("privacy-trouble"),
  },
  api,
  erased,
);

function received(frame) {
  if (frame.type === "welcome" && frame.site?.is_on === false) composer.notice(gettext("The chat is closed at the moment."));
  chat.receive(frame);
  if (IN_LIST.has(frame.type)) sidebar.refresh();
}

function open(id) {
  drawer.close();
  chat.open(id);
  if (hasFinePointer) composer.focus();
}

/** Begin an answer with a button that goes away: the focus goes where Stop is near. */
function leaveFor(act) {
  act();
  if (hasFinePointer) composer.focus();
  else byId("transcript").focus({ preventScroll: true });
}

/** The address always names the open conversation, so that a reload comes back to it. */
function onOpened(id, how) {
  const address = place.addressOf(id);
  if (how === "push" && address !== location.pathname + location.search) history.pushState(null, "", address);
  if (how === "replace") history.replaceState(null, "", address);
  sidebar.mark(id);
  composer.open(id);
}

/** The new conversation was stored and has its id now. */
function onNamed(id) {
  history.replaceState(null, "", place.addressOf(id));
  keep(JUST_NAMED, { id, at: Date.now() });
  sidebar.mark(id);
  composer.rename(id);
}

function onChanged(conversation) {
  readMarks.note();
  const isEmpty = conversation.turns.length === 0;
  byId("empty").hidden = !isEmpty || conversation.id !== null;
  const title = conversation.id === null ? "" : sidebar.titleOf(conversation.id);
  document.title = title === "" ? siteTitle : `${title} - ${siteTitle}`;
}

/** The pool's state; null when it cannot be asked. A pool that is not public still tells its health. */
async function readPool() {
  try {
    const response = await fetch("/pool/?format=json", { headers: { Accept: "application/json" } });
    if (response.ok) {
      const { state, waiting } = await response.json();
      return state === "ready" && waiting > 0 ? "busy" : state;
    }
    const health = await fetch("/health/assistant");
    return health.ok ? "ok" : (await health.json()).status;
  } catch {
    return null;
  }
}

/** Sentences of the server name commands in backquotes. */
function codeSpans(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

/** Everything about the visitor is gone: what this tab still has of it goes too. */
function erased() {
  chat.outbox.clear();
  forgetAll();
  open(null);
  sidebar.refresh();
  toast.show(gettext("Your chats have been deleted."), gettext("OK"), () => {});
}

/** With nothing typed, the reading keys scroll the transcript, and the arrow goes back into the last question. */
function pressed(event) {
  if (!composer.isEmpty || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  const moves = {
    ArrowUp: () => transcript.editLast(),
    PageUp: () => keeper.page(-1),
    PageDown: () => keeper.page(1),
    Home: () => keeper.toStart(),
    End: () => keeper.toEnd(),
  };
  if (!(event.key in moves)) return;
  event.preventDefault();
  moves[event.key]();
}

byId("composer-text").addEventListener("focus", () => chat.warm());
bindTheme(byId("theme"));
bindLanguage(byId("language"));
byId("reading").value = announcer.mode;
byId("reading").addEventListener("change", (event) => announcer.setMode(event.target.value));
for (const id of ["new-chat", "header-new", "brand"]) {
  byId(id).addEventListener("click", (event) => {
    event.preventDefault();
    open(null);
    composer.focus();
  });
}
byId("starters").addEventListener("click", (event) => {
  const starter = event.target.closest(".starter");
  if (starter) chat.send(starter.textContent.trim());
});
const notice = byId("model-notice");
if (notice) {
  notice.hidden = recall("corral:notice-hidden", false);
  for (const node of notice.querySelector("p").childNodes) {
    if (node.nodeType === Node.TEXT_NODE && node.data.includes("`")) node.replaceWith(...codeSpans(node.data));
  }
  byId("model-notice-close").addEventListener("click", () => {
    notice.hidden = true;
    keep("corral:notice-hidden", true);
  });
}
window.addEventListener("popstate", () => chat.open(new URLSearchParams(location.search).get("c"), "none"));

/** The conversation to begin with. A reload may overtake the address of a conversation just begun. */
function firstConversation() {
  const named = new URLSearchParams(location.search).get("c");
  const isReload = performance.getEntriesByType("navigation")[0]?.type === "reload";
  const just = recall(JUST_NAMED, null);
  if (named === null && isReload && just && Date.now() - just.at < JUST_NAMED_MS) return just.id;
  return named;
}

connection.start();
sidebar.refresh();
chat.open(firstConversation(), "replace");
if (hasFinePointer) composer.focus();
