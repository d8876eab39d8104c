// Turns out of stored messages, and the place of the memory divider.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, Delivery, Turn } from "../../apps/ai_chat/static/ai_chat/js/conversation.js";
import { Generation } from "../../apps/ai_chat/static/ai_chat/js/generation.js";

const user = (id) => ({ id, role: "user", text: id, state: "complete", generation: null });
const reply = (id, more = {}) => ({
  id, role: "assistant", text: id, state: "complete", generation: `g-${id}`, reason: "stop", trimmed_turns: 0, error: null, ...more,
});
const read = (messages, known) => Conversation.fromJson({ id: "c", messages }, known);

test("messages become turns", () => {
  const conversation = read([user("q1"), reply("a1"), user("q2"), reply("a2", { state: "streaming" })]);
  assert.deepEqual(conversation.turns.map((turn) => turn.text), ["q1", "q2"]);
  assert.equal(conversation.liveTurn, conversation.lastTurn);
  assert.equal(conversation.findTurn("g-a1").id, "q1");
});

test("a running answer keeps its text when the conversation is read again", () => {
  const messages = [user("q1"), reply("a1", { state: "streaming", text: "old" })];
  const shown = read(messages);
  shown.lastTurn.answer.apply({ type: "gen.created", seq: 1 });
  shown.lastTurn.answer.apply({ type: "gen.delta", seq: 2, off: 0, text: "newer text" });
  assert.equal(read(messages, shown).lastTurn.answer.text, "newer text");
  const ended = read([user("q1"), reply("a1", { text: "the end" })], shown);
  assert.equal(ended.lastTurn.answer.text, "the end");
  assert.equal(ended.lastTurn.answer.isLive, false);
});

test("the divider stands behind the turns the newest answer did not see", () => {
  const messages = [user("q1"), reply("a1"), user("q2"), reply("a2", { trimmed_turns: 1 }), user("q3"), reply("a3", { trimmed_turns: 2 })];
  assert.equal(read(messages).numForgotten, 2);
  const conversation = read(messages);
  conversation.turns.push(Turn.fromEntry({ cid: "i", gen: "g", conversation: "c", text: "q4" }));
  assert.equal(conversation.numForgotten, 2);
  assert.equal(conversation.lastTurn.delivery, Delivery.PENDING);
  assert.equal(read([user("q1"), reply("a1")]).numForgotten, 0);
});

test("commands and unanswered questions are not counted as forgotten turns", () => {
  const pool = { ...user("p"), text: "/pool" };
  const messages = [pool, reply("ap"), user("q1"), reply("a1", { text: "", state: "stopped" }), user("q2"), reply("a2"), user("q3"), reply("a3", { trimmed_turns: 1 })];
  assert.equal(read(messages).numForgotten, 3);
});

test("an edited question stands in place of the old one and what followed it", () => {
  const conversation = read([user("q1"), reply("a1"), { ...user("q2"), versions: { ids: ["q0", "q2"] } }, reply("a2"), user("q3"), reply("a3")]);
  const before = [...conversation.turns];
  const turn = Turn.fromEntry({ cid: "i", gen: "g", conversation: "c", text: "q2b", message: "q2" });
  conversation.add(turn, "q2");
  assert.deepEqual(conversation.turns.map(({ text }) => text), ["q1", "q2b"]);
  assert.deepEqual(turn.versions.ids, ["q0", "q2", null]);
  conversation.remove(turn);
  assert.deepEqual(conversation.turns, before);
});

test("a question that edits nothing known goes to the end", () => {
  const conversation = read([user("q1"), reply("a1")]);
  conversation.add(Turn.fromEntry({ cid: "i", gen: "g", conversation: "c", text: "q2" }));
  conversation.add(Turn.fromEntry({ cid: "j", gen: "h", conversation: "c", text: "q3" }), "gone");
  assert.deepEqual(conversation.turns.map(({ text }) => text), ["q1", "q2", "q3"]);
});

test("another answer takes what followed the old one away", () => {
  const conversation = read([user("q1"), reply("a1"), user("q2"), reply("a2")]);
  const answer = new Generation({ gen: "g" });
  conversation.answerAgain(conversation.turns[0], answer);
  assert.equal(conversation.turns.length, 1);
  assert.equal(conversation.lastTurn.answer, answer);
  assert.deepEqual(answer.versions.ids, ["a1", null]);
});

test("an answer that is read again keeps its frames and learns its versions", () => {
  const messages = [user("q1"), reply("a1", { state: "streaming", versions: { ids: ["a0", "a1"] } })];
  const shown = read([user("q1"), reply("a1", { state: "streaming" })]);
  shown.lastTurn.answer.apply({ type: "gen.created", seq: 1 });
  const { answer } = read(messages, shown).lastTurn;
  assert.equal(answer.lastSeq, 1);
  assert.deepEqual(answer.versions.ids, ["a0", "a1"]);
});
