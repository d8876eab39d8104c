/** What one answer shows at a moment: a pure function, so every state can be tested without a page. */

import { OPEN_ENDS, Phase } from "./generation.js";
import { endSentence, errorSentence, loadSentence, prepareSentence, queueSentence } from "./phrases.js";
import { gettext } from "./texts.js";

const DOTS_AFTER_MS = 300;
const WORDS_AFTER_MS = 1_000;
const NUMBERS_AFTER_MS = 2_000;
const PREPARING_AFTER_MS = 700;
const STALL_AFTER_MS = 3_000;
const SLOW_AFTER_MS = 30_000;
const KEEP_PLACE_AFTER_MS = 20_000;
const FINAL_ERRORS = new Set(["context_full", "too_long", "forbidden", "not_found"]);

/**
 * sinceStartMs: since the question was asked; sincePhaseMs: since this phase began;
 * sinceTextMs: since text last grew; isOnline: the socket is up;
 * isLast: no question came after it.
 */
export function answerView(answer, { sinceStartMs, sincePhaseMs, sinceTextMs, isOnline, isLast }) {
  const view = {
    note: "",
    // The note without its changing number, where it has one.
    said: "",
    hint: "",
    showsDots: false,
    showsCaret: false,
    marks: marksOf(answer),
    suggestions: isLast ? (answer.notice("did_you_mean")?.items ?? []) : [],
    canLeave: false,
    canRetry: false,
    canProceed: isLast && answer.canContinue,
    isAlert: false,
    isFinished: !answer.isLive,
  };
  if (answer.isStopping) return { ...view, note: gettext("Stopping") };
  switch (answer.phase) {
    case Phase.SENDING:
      if (!isOnline) return { ...view, note: sinceStartMs < WORDS_AFTER_MS ? "" : gettext("Waiting to be sent") };
      return waiting(view, sinceStartMs, WORDS_AFTER_MS, gettext("Sending"));
    case Phase.QUEUED:
      return {
        ...view,
        note: queueSentence(answer.queue, sinceStartMs > NUMBERS_AFTER_MS),
        hint: sincePhaseMs > KEEP_PLACE_AFTER_MS ? gettext("You can close this page. Your place is kept.") : "",
        canLeave: true,
      };
    case Phase.LOADING:
      return waiting({ ...view, said: loadSentence(null) }, sinceStartMs, DOTS_AFTER_MS, loadSentence(answer.progress));
    case Phase.PREPARING: {
      const sentence = prepareSentence(answer.progress, sincePhaseMs > NUMBERS_AFTER_MS);
      return sincePhaseMs < PREPARING_AFTER_MS
        ? waiting(view, sinceStartMs, Infinity, "")
        : { ...view, note: sentence, said: prepareSentence(null, false) };
    }
    case Phase.STREAMING: {
      const isStalled = isOnline && (answer.isStalled || sinceTextMs > STALL_AFTER_MS);
      const sentence = sinceTextMs > SLOW_AFTER_MS ? gettext("Still working, slow today") : gettext("Still working");
      return { ...view, showsCaret: true, note: isStalled ? sentence : "" };
    }
    case Phase.FAILED:
      return {
        ...view,
        note: errorSentence(answer.error),
        canRetry: isLast && answer.error.retryable !== false && !FINAL_ERRORS.has(answer.error.code),
        isAlert: true,
      };
    default: {
      const { reason } = answer.done;
      const isInterrupted = ["interrupted", "shutdown", "memory"].includes(reason);
      return {
        ...view,
        note: endSentence(reason),
        canRetry: isLast && OPEN_ENDS.has(reason) && reason !== "length",
        isAlert: isInterrupted,
      };
    }
  }
}

function waiting(view, sinceStartMs, wordsAfterMs, sentence) {
  if (sinceStartMs < DOTS_AFTER_MS) return view;
  return sinceStartMs < wordsAfterMs ? { ...view, showsDots: true } : { ...view, note: sentence };
}

/** What is remarkable about an answer, whether it still runs or not. */
function marksOf(answer) {
  const marks = [];
  const mark = (code, kind, text) => answer.notice(code) && marks.push({ kind, text });
  mark("approved", "good", gettext("Approved answer"));
  const isShort = answer.done?.reason === "length";
  const reduced = isShort ? gettext("Shorter answer: the server is busy") : gettext("Shorter memory: the server is busy");
  mark("reduced", "amber", reduced);
  mark("input_cut", "amber", gettext("Only the beginning of your message was read"));
  if (answer.isLive) mark("retried", "amber", gettext("Trying once more after a problem"));
  if (answer.isLive) mark("slow", "amber", gettext("The server is slow at the moment"));
  return marks;
}
