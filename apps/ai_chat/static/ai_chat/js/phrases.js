/** What the visitor reads. Pure functions from states and numbers to sentences. */

const ERRORS = {
  queue_full: "Lots of people are asking right now. Your message is kept.",
  queue_timeout: "This waited too long, so I stopped it.",
  rate_limited: "One moment, please. That was a lot at once.",
  inflight_limit: "I'm still on your last question.",
  context_full: "This chat got too long for the model. Start a new one with a short summary.",
  model_loading: "The model is still starting up.",
  paused: "The assistant takes a break. Please try again later.",
  no_model: "The assistant has no model yet.",
  pool_lost: "The machine answering this stopped.",
  memory_pressure: "The server is short of memory and paused new answers.",
  first_token_timeout: "I could not begin in time. Try again, perhaps with a shorter message?",
  stalled: "I got stuck and had to stop. Please try again.",
  deadline: "This took too long, here is what I have.",
  empty: "There is nothing to send yet.",
  forbidden: "That is not possible here.",
  not_found: "That conversation is no longer here.",
  internal: "Something broke on our side.",
};

/** The sentence of an error or gen.error frame. `over` is how far a text is over the limit. */
export function errorSentence(error, { over = 0 } = {}) {
  if (error.code === "too_long" || error.code === "input_too_long") {
    return over > 0 ? `That's ${countOf(over, "character")} over the limit.` : "That's too long for one message.";
  }
  if (error.code === "rate_limited" && error.retry_after_s) {
    return `One moment, please. You can send again in ${duration(error.retry_after_s)}.`;
  }
  return isSentence(error.text) ? error.text : (ERRORS[error.code] ?? ERRORS.internal);
}

/** Why an answer ended, when that needs saying; empty for a plain end. */
export function endSentence(reason) {
  switch (reason) {
    case "user_stop":
      return "Stopped";
    case "length":
      return "The answer reached its length limit.";
    case "deadline":
      return ERRORS.deadline;
    case "shutdown":
    case "interrupted":
      return "Interrupted";
    default:
      return "";
  }
}

/** The place in line; numbers only once `isSettled`, so that short waits do not flicker. */
export function queueSentence({ position, eta_s: eta }, isSettled) {
  const place = position <= 1 ? "You're next in line" : `You're ${ordinal(position)} in line`;
  return isSettled && eta ? `${place}, about ${range(eta[0], eta[1])}` : place;
}

export function prepareSentence(progress, isSettled) {
  if (!isSettled || !progress?.total) return "Reading your message";
  const percent = Math.min(99, Math.floor((100 * progress.done) / progress.total));
  return `Reading your message, ${percent} %`;
}

export function loadSentence(progress) {
  return progress?.eta_s ? `Starting up the model, about ${duration(progress.eta_s)}` : "Starting up the model";
}

/** The numbers of a finished answer, for those who ask. */
export function detailItems({ timing, usage }) {
  const items = [];
  if (timing) {
    if (timing.gen_ms != null) items.push(`${seconds(timing.gen_ms + (timing.ttft_ms ?? 0))} in all`);
    if (timing.tok_s) items.push(`${number(timing.tok_s)} tok/s`);
    if (timing.queue_ms >= 100) items.push(`waited ${seconds(timing.queue_ms)}`);
  }
  if (usage) {
    if (usage.completion != null) items.push(`${countOf(usage.completion, "token")} written`);
    if (usage.prompt != null) items.push(`${usage.prompt} read, ${usage.cached ?? 0} from cache`);
  }
  return items;
}

export function ordinal(position) {
  const tail = position % 100;
  if (tail >= 11 && tail <= 13) return `${position}th`;
  return `${position}${["th", "st", "nd", "rd"][position % 10] ?? "th"}`;
}

/** Seconds rounded so that they do not flicker: steps of 5 below a minute, then minutes. */
export function duration(value) {
  if (value < 58) return `${Math.max(1, value < 5 ? Math.round(value) : Math.round(value / 5) * 5)} s`;
  return `${Math.round(value / 60)} min`;
}

function range(low, high) {
  const from = duration(low);
  const to = duration(high);
  if (from === to) return from;
  const [number, unit] = from.split(" ");
  return to.endsWith(unit) ? `${number}\u2013${to}` : `${from} to ${to}`;
}

export function countOf(num, noun) {
  return `${num.toLocaleString("en")} ${noun}${num === 1 ? "" : "s"}`;
}

function seconds(ms) {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

function number(value) {
  return value < 100 ? String(Number(value.toFixed(1))) : Math.round(value).toLocaleString("en");
}

function isSentence(text) {
  return typeof text === "string" && text.includes(" ");
}
