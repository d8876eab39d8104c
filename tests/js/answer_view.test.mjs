// What an answer shows: time rules, ways out, and the words of every state.
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerView } from "../../apps/ai_chat/static/ai_chat/js/answer_view.js";
import { Generation } from "../../apps/ai_chat/static/ai_chat/js/generation.js";

const at = (sinceStartMs, more = {}) => ({
  sinceStartMs, sincePhaseMs: sinceStartMs, sinceTextMs: 0, isOnline: true, isLast: true, ...more,
});
const answerWith = (...frames) => {
  const answer = new Generation({ gen: "g" });
  frames.forEach((frame, index) => answer.apply("ephemeral" in frame ? frame : { seq: index + 1, ...frame }));
  return answer;
};

test("nothing before 0.3 s, dots to 1 s, then words", () => {
  const answer = answerWith();
  assert.equal(answerView(answer, at(200)).showsDots, false);
  assert.equal(answerView(answer, at(600)).showsDots, true);
  assert.equal(answerView(answer, at(1200)).note, "Sending");
  assert.equal(answerView(answer, at(1200, { isOnline: false })).note, "Waiting to be sent");
});

test("in line: place first, numbers after 2 s, always a way out", () => {
  const answer = answerWith({ ephemeral: true, type: "gen.queue", position: 3, eta_s: [38, 71] });
  const early = answerView(answer, at(500));
  assert.equal(early.note, "You're number 3 in line");
  assert.equal(early.canLeave, true);
  assert.equal(answerView(answer, at(2500)).note, "You're number 3 in line, about 40 seconds to 1 minute");
  assert.match(answerView(answer, at(25_000)).hint, /Your place is kept/);
});

test("what is read aloud of a state has no number that changes", () => {
  const answer = answerWith({ ephemeral: true, type: "gen.progress", phase: "prompt", done: 31, total: 50 });
  const view = answerView(answer, at(9000));
  assert.deepEqual([view.note, view.said], ["Reading your message \u00b7 62%", "Reading your message"]);
});

test("a silent answer says that it still works", () => {
  const answer = answerWith({ type: "gen.created" }, { type: "gen.delta", off: 0, text: "x" });
  assert.equal(answerView(answer, at(9000)).note, "");
  assert.equal(answerView(answer, at(9000, { sinceTextMs: 3500 })).note, "Still working");
  assert.equal(answerView(answer, at(9000, { sinceTextMs: 3500, isOnline: false })).note, "");
});

test("ends offer another try only where it can help", () => {
  const stopped = answerWith({ type: "gen.created" }, { type: "gen.done", reason: "user_stop", chars: 0 });
  assert.equal(answerView(stopped, at(1)).note, "Stopped");
  assert.equal(answerView(stopped, at(1)).canRetry, true);
  assert.equal(answerView(stopped, at(1, { isLast: false })).canRetry, false);
  const full = answerWith({ type: "gen.error", code: "context_full", text: "", retryable: false });
  assert.equal(answerView(full, at(1)).canRetry, false);
  assert.equal(answerView(full, at(1)).isAlert, true);
  const done = answerWith({ type: "gen.created" }, { type: "gen.done", reason: "stop", chars: 0 });
  assert.equal(answerView(done, at(1)).note, "");
});

test("an answer with something left to say can go on, but only the last one", () => {
  for (const reason of ["length", "user_stop", "deadline", "memory", "shutdown"]) {
    const ended = answerWith({ type: "gen.delta", off: 0, text: "x" }, { type: "gen.done", reason, chars: 1 });
    assert.equal(answerView(ended, at(1)).canProceed, true, reason);
    assert.equal(answerView(ended, at(1, { isLast: false })).canProceed, false, reason);
  }
  const complete = answerWith({ type: "gen.delta", off: 0, text: "x" }, { type: "gen.done", reason: "stop", chars: 1 });
  assert.equal(answerView(complete, at(1)).canProceed, false);
  const empty = answerWith({ type: "gen.created" }, { type: "gen.done", reason: "user_stop", chars: 0 });
  assert.equal(answerView(empty, at(1)).canProceed, false);
});

test("notices become marks; those of the moment go with it", () => {
  const notice = (code) => ({ type: "gen.notice", code });
  const running = answerWith(notice("reduced"), notice("slow"), notice("retried"), notice("input_cut"), notice("approved"));
  assert.deepEqual(answerView(running, at(1)).marks.map(({ kind }) => kind), ["good", "amber", "amber", "amber", "amber"]);
  running.apply({ type: "gen.done", seq: 6, reason: "stop", chars: 0 });
  const texts = answerView(running, at(1)).marks.map(({ text }) => text);
  assert.deepEqual(texts, ["Approved answer", "Shorter memory: the server is busy", "Only the beginning of your message was read"]);
});

test("what memory pressure has cost an answer is said in its own words", () => {
  const ended = (reason) => answerWith(
    { type: "gen.delta", off: 0, text: "x" }, { type: "gen.notice", code: "reduced", what: "length" },
    { type: "gen.done", reason, chars: 1, quality: "reduced" },
  );
  assert.deepEqual(answerView(ended("length"), at(1)).marks.map(({ text }) => text), ["Shorter answer: the server is busy"]);
  const early = answerView(ended("memory"), at(1));
  assert.equal(early.note, "Interrupted: the server is short of memory");
  assert.equal(early.isAlert, true);
});

test("suggestions stand under the last answer only", () => {
  const answer = answerWith({ type: "gen.notice", code: "did_you_mean", items: ["How much is it?"] });
  assert.deepEqual(answerView(answer, at(1)).suggestions, ["How much is it?"]);
  assert.deepEqual(answerView(answer, at(1, { isLast: false })).suggestions, []);
});
