// The page's side of the shared schema: the recorded exchange, and what must not pass.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { isClientFrame, isServerFrame } from "./chat_schema.mjs";

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const recorded = (mark) =>
  [...page.matchAll(new RegExp(`^${mark} (\\{.*\\})$`, "gm"))].map((found) => JSON.parse(found[1]));

test("the recorded exchange is as the schema says, on both sides", () => {
  assert.ok(recorded(">").length > 3 && recorded("<").length > 10);
  for (const frame of recorded(">")) assert.ok(isClientFrame(frame), JSON.stringify(frame));
  for (const frame of recorded("<")) assert.ok(isServerFrame(frame), JSON.stringify(frame));
});

test("frames of the wrong shape are noticed", () => {
  const id = "0d6b752e-d906-44d8-af98-0c62a474a764";
  const send = { type: "message.send", cid: id, gen: id, text: "Hi" };
  assert.ok(isClientFrame(send) && isClientFrame({ ...send, parent: null, more: 1 }));
  assert.ok(isClientFrame({ ...send, context: { Price: 9.5, "In stock": true } }));
  for (const change of [
    { cid: "7" },
    { gen: `${id}\n` },
    { text: 7 },
    { context: { name: null } },
    { context: { name: "\u{1f434}".repeat(201) } },
    { type: "no.such" },
  ]) {
    assert.ok(!isClientFrame({ ...send, ...change }), JSON.stringify(change));
  }
  assert.ok(!isServerFrame({ type: "pong" }));
  const block = { type: "gen.block", gen: id, seq: 1, from_off: 0, to_off: 1 };
  assert.ok(isServerFrame({ ...block, nodes: [["a", { href: "https://a.example", host: "a" }, "x"]] }));
  assert.ok(!isServerFrame({ ...block, nodes: [["a", { href: "javascript:x" }, "x"]] }));
  assert.ok(!isServerFrame({ ...block, nodes: [["script", "x"]] }));
});
