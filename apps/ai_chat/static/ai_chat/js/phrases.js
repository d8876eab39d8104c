/** What the visitor reads. Pure functions from states and numbers to sentences in the visitor's language. */

import { fill, gettext, language } from "./texts.js";
// <page>
import { ngettext } from "./texts.js";
// </page>

// How the server's own words begin, when the people who run it said nothing.
const PAUSED = "The assistant takes a break.";

/**
 * Why an answer failed. All tabs get the same frame, so the server cannot say this in the language of
 * each; what it refuses to one visitor it does say in that visitor's language.
 */
function sentenceOf(code) {
  return {
    queue_full: gettext("Lots of people are asking right now. Your message is kept."),
    queue_timeout: gettext("This waited too long, so I stopped it."),
    rate_limited: gettext("One moment, please. That was a lot at once."),
    context_full: gettext("This chat got too long. Start a new one with a short summary."),
    model_loading: gettext("The model is still starting up."),
    paused: gettext("The assistant takes a break. Please try again later."),
    no_model: gettext("The assistant has no model yet."),
    pool_lost: gettext("The machine answering this stopped."),
    memory_pressure: gettext("The server is short of memory and paused new answers."),
    first_token_timeout: gettext("I could not begin in time. Please try again."),
    stalled: gettext("I got stuck and had to stop. Please try again."),
    deadline: gettext("This took too long, here is what I have."),
    interrupted: gettext("This answer was interrupted."),
    too_long: gettext("That's too long for one message."),
    draining: gettext("The server is restarting."),
    internal: gettext("Something broke on our side."),
  }[code];
}

/** The sentence of an error or gen.error frame. `over` is how far a text is over the limit. */
export function errorSentence(error, { over = 0 } = {}) {
  const code = error.code === "input_too_long" ? "too_long" : error.code;
  if (code === "too_long" && over > 0) return overSentence(over);
  if (code === "rate_limited" && error.retry_after_s) {
    return fill(gettext("One moment, please. You can send again in %(time)s."), { time: duration(error.retry_after_s) });
  }
  const ours = sentenceOf(code);
  // A pause is explained by the people who run the assistant, in their own words.
  const isTheirs = code === "paused" ? !error.text?.startsWith(PAUSED) : !ours;
  return isTheirs && isSentence(error.text) ? error.text : (ours ?? sentenceOf("internal"));
}

/** Why an answer ended, when that needs saying; empty for a plain end. */
export function endSentence(reason) {
  const interrupted = gettext("Interrupted");
  return {
    user_stop: gettext("Stopped"),
    length: gettext("The answer reached its length limit."),
    deadline: sentenceOf("deadline"),
    memory: gettext("Interrupted: the server is short of memory"),
    shutdown: interrupted,
    interrupted,
  }[reason] ?? "";
}

/** The place in line; numbers only once `isSettled`, so that short waits do not flicker. */
export function queueSentence({ position, eta_s: eta }, isSettled) {
  const sentence = position <= 1 ? gettext("You're next in line") : fill(gettext("You're number %(place)s in line"), { place: number(position) });
  return isSettled && eta ? about(sentence, range(eta[0], eta[1])) : sentence;
}

export function prepareSentence(progress, isSettled) {
  const sentence = gettext("Reading your message");
  if (!isSettled || !progress?.total) return sentence;
  const share = Math.floor(100 * Math.min(0.99, progress.done / progress.total)) / 100;
  return `${sentence} \u00b7 ${number(share, { style: "percent" })}`;
}

export function loadSentence(progress) {
  const sentence = gettext("Starting up the model");
  return progress?.eta_s ? about(sentence, duration(progress.eta_s)) : sentence;
}

function about(what, time) {
  return fill(gettext("%(what)s, about %(time)s"), { what, time });
}

export function overSentence(num) {
  // <page>
  if (num > 0) return counted(ngettext("That's %(n)s character over the limit.", "That's %(n)s characters over the limit.", num), num);
  // </page>
  return sentenceOf("too_long");
}

/** How long a text is, next to where it is written: in words where there is room for them. */
export function lengthSentence(num, max) {
  // <page>
  if (num <= max) return leftSentence(max - num);
  if (num > max) return overSentence(num - max);
  // </page>
  return `${number(num)} / ${number(max)}`;
}

// <page>
export function leftSentence(num) {
  return counted(ngettext("%(n)s character left", "%(n)s characters left", num), num);
}

// </page>
/** The numbers of a finished answer, for those who ask. */
export function detailItems({ timing, usage }) {
  const items = [];
  if (timing) {
    if (timing.gen_ms != null) {
      items.push(fill(gettext("%(time)s in all"), { time: seconds(timing.gen_ms + (timing.ttft_ms ?? 0)) }));
    }
    if (timing.tok_s) {
      const speed = number(timing.tok_s, { maximumFractionDigits: timing.tok_s < 100 ? 1 : 0 });
      items.push(fill(gettext("%(n)s tokens per second"), { n: speed }));
    }
    if (timing.queue_ms >= 100) items.push(fill(gettext("waited %(time)s"), { time: seconds(timing.queue_ms) }));
  }
  // <page>
  if (usage) {
    const { completion, prompt, cached = 0 } = usage;
    if (completion != null) items.push(fill(gettext("tokens written: %(n)s"), { n: number(completion) }));
    if (prompt != null) {
      const values = { n: number(prompt), cached: number(cached) };
      items.push(fill(gettext("tokens read: %(n)s, %(cached)s from memory"), values));
    }
  }
  // </page>
  return items;
}

/** Seconds rounded so that they do not flicker: steps of 5 below a minute, then minutes, and hours. */
export function duration(value) {
  return range(value, value);
}

function range(low, high) {
  const [from, fromUnit] = rounded(low);
  const [to, toUnit] = rounded(high);
  if (fromUnit !== toUnit) {
    return fill(gettext("%(from)s to %(to)s"), { from: inUnit(from, fromUnit), to: inUnit(to, toUnit) });
  }
  return from === to ? inUnit(to, toUnit) : inUnit(to, toUnit, from);
}

function rounded(value) {
  // <page>
  if (value >= 5400) return [Math.round(value / 3600), "hour"];
  // </page>
  if (value >= 58) return [Math.round(value / 60), "minute"];
  return [Math.max(1, value < 5 ? Math.round(value) : Math.round(value / 5) * 5), "second"];
}

/** "40 seconds", or "20–40 seconds" with `from`; older browsers cannot say a range and get its end. */
export function inUnit(value, unit, from = value) {
  const format = new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" });
  return from === value || !format.formatRange ? format.format(value) : format.formatRange(from, value);
}

function seconds(ms) {
  const maximumFractionDigits = ms < 10_000 ? 1 : 0;
  return number(ms / 1000, { style: "unit", unit: "second", maximumFractionDigits });
}

// <page>
function counted(text, num) {
  return fill(text, { n: number(num) });
}

// </page>

function number(value, options) {
  return new Intl.NumberFormat(locale(), options).format(value);
}

/** The browser's own kind of the language where it has one: Egypt writes other digits than Morocco. */
function locale() {
  const own = globalThis.navigator?.language ?? "";
  return own.split("-")[0] === language() ? own : language();
}

function isSentence(text) {
  return String(text).includes(" ");
}
