// The reducer of answers: order, gaps, offsets in code points, stop and replay.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Generation, Outcome, Phase } from "../../apps/ai_chat/static/ai_chat/js/generation.js";

const fresh = () => new Generation({ gen: "g" });
const created = { type: "gen.created", seq: 1, message: "m", conversation: "c" };
const started = { type: "gen.started", seq: 2 };
const delta = (seq, off, text) => ({ type: "gen.delta", seq, off, text });

test("a whole answer runs through its phases", () => {
  const answer = fresh();
  assert.equal(answer.apply(created), Outcome.APPLIED);
  assert.equal(answer.message, "m");
  assert.equal(answer.apply({ type: "gen.queue", position: 2, size: 3 }), Outcome.APPLIED);
  assert.equal(answer.phase, Phase.QUEUED);
  answer.apply(started);
  assert.equal(answer.phase, Phase.PREPARING);
  answer.apply(delta(3, 0, "Hello"));
  assert.equal(answer.phase, Phase.STREAMING);
  answer.apply(delta(4, 5, " you"));
  assert.equal(answer.apply({ type: "gen.done", seq: 5, reason: "stop", chars: 9 }), Outcome.APPLIED);
  assert.equal(answer.text, "Hello you");
  assert.equal(answer.isLive, false);
});

test("a repeated frame changes nothing, a missing one is a gap", () => {
  const answer = fresh();
  answer.apply(created);
  answer.apply(started);
  answer.apply(delta(3, 0, "one "));
  assert.equal(answer.apply(delta(3, 0, "one ")), Outcome.IGNORED);
  assert.equal(answer.apply(delta(5, 8, "three")), Outcome.GAP);
  assert.equal(answer.text, "one ");
  assert.equal(answer.lastSeq, 3);
  assert.equal(answer.apply(delta(4, 4, "two ")), Outcome.APPLIED);
  assert.equal(answer.apply(delta(5, 8, "three")), Outcome.APPLIED);
  assert.equal(answer.text, "one two three");
});

test("offsets count code points", () => {
  const answer = fresh();
  answer.apply({ ...created });
  answer.apply(delta(2, 0, "\u{1F999}\u{1F469}\u200D\u{1F4BB}"));
  assert.equal(answer.length, 4);
  assert.equal(answer.apply(delta(3, 4, "\u0645\u0631\u062D\u0628\u0627")), Outcome.APPLIED);
  assert.equal(answer.apply(delta(4, 11, "!")), Outcome.GAP);
  assert.equal(answer.apply({ type: "gen.done", seq: 4, reason: "stop", chars: 9 }), Outcome.APPLIED);
});

test("stop freezes what is shown and the server's count ends it", () => {
  const answer = fresh();
  answer.apply(created);
  answer.apply(delta(2, 0, "\u{1F999} seen"));
  answer.freeze();
  assert.equal(answer.frozenLength, 6);
  answer.apply(delta(3, 6, " unseen"));
  assert.equal(answer.shownText, "\u{1F999} seen");
  answer.apply({ type: "gen.done", seq: 4, reason: "user_stop", chars: 6 });
  assert.equal(answer.text, "\u{1F999} seen");
  assert.equal(answer.isStopping, false);
});

test("an end that promises more text than came is a gap", () => {
  const answer = fresh();
  answer.apply(created);
  answer.apply(delta(2, 0, "short"));
  assert.equal(answer.apply({ type: "gen.done", seq: 3, reason: "stop", chars: 50 }), Outcome.GAP);
  assert.equal(answer.isLive, true);
});

test("a place in line that comes late does not turn time back", () => {
  const answer = fresh();
  answer.apply(created);
  answer.apply(started);
  assert.equal(answer.apply({ type: "gen.queue", position: 1 }), Outcome.IGNORED);
  assert.equal(answer.phase, Phase.PREPARING);
});

test("unknown durable frames keep the numbering", () => {
  const answer = fresh();
  answer.apply(created);
  assert.equal(answer.apply({ type: "gen.sparkle", seq: 2 }), Outcome.APPLIED);
  assert.equal(answer.apply(delta(3, 0, "x")), Outcome.APPLIED);
});

test("nothing changes after the end", () => {
  const answer = fresh();
  answer.apply({ type: "gen.error", seq: 1, code: "no_model" });
  assert.equal(answer.phase, Phase.FAILED);
  assert.equal(answer.apply({ type: "gen.queue", position: 1 }), Outcome.IGNORED);
});

test("a snapshot replaces the text and the numbering", () => {
  const answer = fresh();
  answer.apply({ type: "gen.snapshot", state: "streaming", upto: 7, text: "so far", notices: [] });
  assert.equal(answer.lastSeq, 7);
  assert.equal(answer.apply(delta(8, 6, " on")), Outcome.APPLIED);
  answer.apply({ type: "gen.snapshot", state: "failed", upto: 0, text: "so", code: "pool_lost" });
  assert.equal(answer.error.code, "pool_lost");
  assert.equal(answer.text, "so");
});

test("stored answers become what they were", () => {
  const base = { id: "m", generation: "g", text: "hi", reason: "", trimmed_turns: 2, error: null };
  const done = Generation.fromMessage({ ...base, state: "complete" }, "c");
  assert.equal(done.done.reason, "stop");
  assert.equal(done.trimmedTurns, 2);
  assert.equal(Generation.fromMessage({ ...base, state: "stopped" }, "c").done.reason, "user_stop");
  const failed = Generation.fromMessage({ ...base, state: "failed", error: { code: "no_model" } }, "c");
  assert.equal(failed.phase, Phase.FAILED);
  const live = Generation.fromMessage({ ...base, state: "streaming" }, "c");
  assert.equal(live.isLive, true);
  assert.equal(live.text, "");
});
