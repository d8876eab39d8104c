// What goes out: questions, new versions, warm-ups, and how often missing frames are asked for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf } from "../../apps/ai_chat/static/ai_chat/js/outbox.js";
import { ResumeLog } from "../../apps/ai_chat/static/ai_chat/js/resume_log.js";
import { spoken } from "../../apps/ai_chat/static/ai_chat/js/sentences.js";
import { Warmth } from "../../apps/ai_chat/static/ai_chat/js/warmth.js";

const overTheWire = (frame) => JSON.parse(JSON.stringify(frame));

test("a question names its conversation once there is one", () => {
  const entry = { cid: "i", gen: "g", conversation: null, text: "hi" };
  assert.deepEqual(overTheWire(frameOf(entry)), { type: "message.send", cid: "i", gen: "g", text: "hi" });
  assert.equal(frameOf({ ...entry, conversation: "c" }).conversation, "c");
  assert.deepEqual(frameOf({ ...entry, context: { page: "Prices" } }).context, { page: "Prices" });
});

test("an edit names the message only", () => {
  const entry = { cid: "i", gen: "g", conversation: "c", text: "hi", message: "m" };
  assert.deepEqual(overTheWire(frameOf(entry)), { type: "message.edit", cid: "i", gen: "g", text: "hi", message: "m" });
});

test("a warm-up goes out once in ten seconds for each conversation, and carries nothing that is typed", (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const sent = [];
  const send = (frame) => sent.push(overTheWire(frame)) > 0;
  const warmth = new Warmth();
  warmth.ask(null, () => false);
  assert.equal(warmth.isWanted, true);
  warmth.ask(null, send);
  warmth.ask(null, send);
  warmth.ask("c", send);
  now = 9_999;
  warmth.ask("c", send);
  now = 10_000;
  warmth.ask("c", send);
  assert.equal(warmth.isWanted, false);
  assert.deepEqual(sent, [{ type: "warm" }, { type: "warm", conversation: "c" }, { type: "warm", conversation: "c" }]);
});

test("one gap is asked for three times and not more", () => {
  const log = new ResumeLog();
  const answer = { gen: "g", lastSeq: 4 };
  assert.equal(log.isRecent(answer), false);
  assert.deepEqual([log.note(answer), log.note(answer), log.note(answer), log.note(answer)], [true, true, true, false]);
  answer.lastSeq = 5;
  assert.equal(log.note(answer), true);
  assert.equal(log.isRecent(answer), true);
});

test("a new line asks for every running answer once", () => {
  const log = new ResumeLog();
  const turns = [{ answer: { gen: "g", lastSeq: 4 } }, { answer: { gen: "h", lastSeq: 0 } }];
  assert.deepEqual(log.begin(turns), [{ gen: "g", after: 4 }, { gen: "h", after: 0 }]);
  assert.equal(log.hasAsked(turns[1].answer), true);
  log.begin([]);
  assert.equal(log.hasAsked(turns[1].answer), false);
});

test("what is read aloud has no marks", () => {
  assert.equal(spoken("**Read** the [guide](https://x.example/a_b), `now`."), "Read the guide, now.");
  assert.equal(spoken("## Prices"), "Prices");
});
