// Sentences, numbers, lengths and waiting times.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clipPoints, countPoints } from "../../apps/ai_chat/static/ai_chat/js/codepoints.js";
import { newId } from "../../apps/ai_chat/static/ai_chat/js/ids.js";
import { detailItems, duration, errorSentence, queueSentence } from "../../apps/ai_chat/static/ai_chat/js/phrases.js";
import { takeSentences } from "../../apps/ai_chat/static/ai_chat/js/sentences.js";
import { retryDelay } from "../../apps/ai_chat/static/ai_chat/js/socket.js";

test("lengths count code points", () => {
  assert.equal(countPoints("a\u{1F999}b"), 3);
  assert.equal(clipPoints("a\u{1F999}b", 2), "a\u{1F999}");
  assert.equal(clipPoints("ab", 9), "ab");
  assert.equal(clipPoints("ab", 0), "");
});

test("rounded times", () => {
  assert.deepEqual([0.2, 3, 8, 43, 59, 125, 3600, 5400, 86_400].map(duration),
    ["1 second", "3 seconds", "10 seconds", "45 seconds", "1 minute", "2 minutes", "60 minutes", "2 hours", "24 hours"]);
});

test("the place in line", () => {
  assert.equal(queueSentence({ position: 1, eta_s: null }, true), "You're next in line");
  assert.equal(queueSentence({ position: 2, eta_s: [10, 20] }, true), "You're number 2 in line, about 10\u201320 seconds");
});

test("our own sentence for a known code, the server's for the rest, the owner's for a pause", () => {
  assert.equal(errorSentence({ code: "stalled", text: "Nobody reads this." }), "I got stuck and had to stop. Please try again.");
  assert.equal(errorSentence({ code: "paused", text: "Back on Monday." }), "Back on Monday.");
  assert.match(errorSentence({ code: "paused", text: "" }), /takes a break/);
  assert.equal(errorSentence({ code: "new_code", text: "A sentence." }), "A sentence.");
  assert.equal(errorSentence({ code: "no_model", text: "" }), "The assistant has no model yet.");
  assert.equal(errorSentence({ code: "too_long" }, { over: 1 }), "That's 1 character over the limit.");
  assert.match(errorSentence({ code: "unheard_of", text: "key" }), /Something broke/);
});

test("details leave out what is not known", () => {
  assert.deepEqual(detailItems({ timing: null, usage: null }), []);
  const items = detailItems({ timing: { queue_ms: 0, ttft_ms: 90, gen_ms: 3600, tok_s: 15.02 }, usage: null });
  assert.deepEqual(items, ["3.7 sec in all", "15 tokens per second"]);
  const usage = { prompt: 1200, completion: 1, cached: 64 };
  assert.deepEqual(detailItems({ timing: null, usage }), ["tokens written: 1", "tokens read: 1,200, 64 from memory"]);
});

test("only whole sentences are read aloud", () => {
  const text = "One. Two is 3.5 long! Thr";
  const { sentences, next } = takeSentences(text, 0);
  assert.deepEqual(sentences, ["One.", "Two is 3.5 long!"]);
  assert.equal(text.slice(next).trim(), "Thr");
  assert.deepEqual(takeSentences(`${text}ee.\n`, next).sentences, ["Three."]);
});

test("reconnecting waits at most 0.5 s * 2^n and never over 30 s", () => {
  assert.equal(retryDelay(0, () => 1), 500);
  assert.equal(retryDelay(3, () => 1), 4000);
  assert.equal(retryDelay(40, () => 1), 30_000);
  assert.equal(retryDelay(5, () => 0), 0);
});

test("identifiers are UUIDs, also without crypto.randomUUID", () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.match(newId(), uuid);
  const random = crypto.randomUUID;
  crypto.randomUUID = undefined;
  try {
    assert.match(newId(), uuid);
    assert.notEqual(newId(), newId());
  } finally {
    crypto.randomUUID = random;
  }
});
