// Finished Markdown in an answer: which blocks stand, and what is still plain text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Generation, Outcome, Phase } from "../../apps/ai_chat/static/ai_chat/js/generation.js";

const started = (text) => {
  const answer = new Generation({ gen: "g" });
  answer.apply({ type: "gen.created", seq: 1 });
  answer.apply({ type: "gen.delta", seq: 2, off: 0, text });
  return answer;
};
const block = (seq, from_off, to_off, nodes = [["p", `${from_off}-${to_off}`]]) => ({ type: "gen.block", seq, from_off, to_off, nodes });
const ranges = (answer) => answer.shownBlocks.map(({ from_off: from, to_off: to }) => [from, to]);

test("the text behind the last block is plain", () => {
  const answer = started("# One\n\nTwo is");
  assert.equal(answer.shownTail, "# One\n\nTwo is");
  assert.equal(answer.apply(block(3, 0, 7)), Outcome.APPLIED);
  assert.equal(answer.shownTail, "Two is");
  answer.apply({ type: "gen.delta", seq: 4, off: 13, text: " not one" });
  assert.equal(answer.shownTail, "Two is not one");
});

test("ends of blocks count code points", () => {
  const answer = started("\u{1F999}\u{1F999}\n\nrest");
  answer.apply(block(3, 0, 4));
  assert.equal(answer.shownTail, "rest");
});

test("a block replaces every block that begins where it does or later", () => {
  const answer = started("0123456789abcdef");
  for (const frame of [block(3, 0, 4), block(4, 4, 8), block(5, 8, 12)]) answer.apply(frame);
  assert.deepEqual(ranges(answer), [[0, 4], [4, 8], [8, 12]]);
  answer.apply(block(6, 4, 12));
  assert.deepEqual(ranges(answer), [[0, 4], [4, 12]]);
  answer.apply(block(7, 0, 16));
  assert.deepEqual(ranges(answer), [[0, 16]]);
  assert.equal(answer.shownTail, "");
});

test("a block over text that has not come is a gap", () => {
  const answer = started("short");
  assert.equal(answer.apply(block(3, 0, 6)), Outcome.GAP);
  assert.deepEqual(answer.blocks, []);
});

test("Stop hides blocks that reach behind what was seen", () => {
  const answer = started("one\n\ntwo");
  answer.apply(block(3, 0, 5));
  answer.freeze();
  answer.apply({ type: "gen.delta", seq: 4, off: 8, text: " more" });
  answer.apply(block(5, 5, 13));
  assert.deepEqual(ranges(answer), [[0, 5]]);
  assert.equal(answer.shownTail, "two");
  answer.apply(block(6, 5, 8));
  answer.apply({ type: "gen.done", seq: 7, reason: "user_stop", chars: 8 });
  assert.deepEqual(ranges(answer), [[0, 5], [5, 8]]);
  assert.equal(answer.shownTail, "");
});

test("text that is taken back takes its blocks along", () => {
  const reset = started("one\n\ntwo");
  reset.apply(block(3, 0, 5));
  reset.apply(block(4, 5, 8));
  reset.apply({ type: "gen.reset", seq: 5, to_off: 6 });
  assert.deepEqual(ranges(reset), [[0, 5]]);
  assert.equal(reset.shownTail, "t");
});

test("a snapshot brings its blocks", () => {
  const answer = started("old");
  answer.apply(block(3, 0, 3));
  answer.apply({ type: "gen.snapshot", state: "streaming", upto: 9, text: "one\n\ntwo", blocks: [block(0, 0, 5)], notices: [{ code: "reduced" }] });
  assert.deepEqual(ranges(answer), [[0, 5]]);
  assert.equal(answer.shownTail, "two");
  assert.ok(answer.notice("reduced"));
});

test("a stored answer is one block, or plain text where the server sends none", () => {
  const stored = { id: "m", generation: "g", text: "**hi**", state: "complete", reason: "stop" };
  const answer = Generation.fromMessage({ ...stored, nodes: [["p", ["strong", "hi"]]] }, "c");
  assert.deepEqual(answer.shownBlocks[0].nodes, [["p", ["strong", "hi"]]]);
  assert.equal(answer.shownTail, "");
  assert.equal(Generation.fromMessage(stored, "c").shownTail, "**hi**");
});

test("what was remarkable about a stored answer comes back as its notices", () => {
  const stored = { id: "m", generation: "g", text: "hi", state: "complete", reason: "stop" };
  const answer = Generation.fromMessage({ ...stored, quality: "reduced", is_approved: true, suggestions: ["a?"], can_continue: true }, "c");
  assert.deepEqual(answer.notices.map(({ code }) => code), ["reduced", "approved", "did_you_mean"]);
  assert.equal(answer.canContinue, true);
  assert.deepEqual(Generation.fromMessage({ ...stored, suggestions: [] }, "c").notices, []);
});

test("an answer that goes on shows what it had, then what the server repeats", () => {
  const before = started("one\n\ntw");
  before.apply(block(3, 0, 7));
  before.apply({ type: "gen.done", seq: 4, reason: "length", chars: 7 });
  assert.equal(before.canContinue, true);
  const answer = Generation.continuing(before, "h");
  assert.equal(answer.shownBlocks, before.blocks);
  assert.equal(answer.canContinue, false);
  answer.apply({ type: "gen.created", seq: 1, continues: true });
  assert.equal(answer.text, "one\n\ntw");
  assert.equal(answer.apply({ type: "gen.delta", seq: 2, off: 0, text: "one\n\ntw" }), Outcome.APPLIED);
  assert.equal(answer.length, 7);
  assert.equal(answer.shownTail, "one\n\ntw");
  assert.equal(answer.phase, Phase.STREAMING);
  assert.equal(answer.apply({ type: "gen.delta", seq: 3, off: 7, text: "o" }), Outcome.APPLIED);
  assert.equal(answer.text, "one\n\ntwo");
  // Only the first text may begin again.
  assert.equal(answer.apply({ type: "gen.delta", seq: 4, off: 0, text: "x" }), Outcome.GAP);
});

test("a tab that opens in the middle of an answer that goes on builds it from nothing", () => {
  const answer = new Generation({ gen: "h" });
  answer.apply({ type: "gen.created", seq: 1, continues: true });
  answer.apply({ type: "gen.delta", seq: 2, off: 0, text: "one" });
  answer.apply({ type: "gen.delta", seq: 3, off: 3, text: " two" });
  assert.equal(answer.text, "one two");
});

test("a first text at the wrong place is a gap where nothing goes on", () => {
  const answer = started("one");
  assert.equal(answer.apply({ type: "gen.delta", seq: 3, off: 0, text: "one" }), Outcome.GAP);
});
