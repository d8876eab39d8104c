// The line without sockets: it must look like one, and follow answers over broken streams.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PostLine } from "../../apps/ai_chat/static/ai_chat/js/post_line.js";

const json = (body, status = 200) => new Response(JSON.stringify(body), { status });
const events = (...frames) => new Response(frames.map((frame) => `id: ${frame.seq}\ndata: ${JSON.stringify(frame)}\n\n`).join(""));

/** A line whose server is `serve(address, frame)`; resolves the frames once `num` have come. */
function lineTo(t, serve) {
  t.mock.method(globalThis, "fetch", async (address, { method = "GET", body } = {}) => serve(address, method === "POST" ? JSON.parse(body) : null));
  const line = new PostLine({ base: "/api/v1/", headers: () => ({}), query: "lang=de" });
  const got = [];
  const waiting = [];
  line.onmessage = ({ data }) => {
    got.push(JSON.parse(data));
    for (const { num, resolve } of waiting) if (got.length >= num) resolve(got);
  };
  return { line, frames: (num) => new Promise((resolve) => (got.length >= num ? resolve(got) : waiting.push({ num, resolve }))) };
}

test("a hello is answered with a welcome, and answers under way are followed", async (t) => {
  const asked = [];
  const { line, frames } = lineTo(t, (address, frame) => {
    asked.push(address);
    if (frame) assert.equal(frame.type, "hello");
    return frame ? json([{ type: "welcome", v: 1, banner: "Back at noon." }]) : events({ type: "gen.done", seq: 8, gen: "g" });
  });
  line.send(JSON.stringify({ type: "hello", v: 1, resume: [{ gen: "g", after: 7 }] }));
  const got = await frames(2);
  assert.deepEqual(got.map(({ type }) => type), ["welcome", "gen.done"]);
  assert.equal(got[0].banner, "Back at noon.");
  assert.deepEqual(asked, ["/api/v1/chat/frames?lang=de", "/api/v1/gen/g/events?after=7&lang=de"]);
  line.close();
});

test("a question is followed to its end, over a stream that breaks off", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  const { line, frames } = lineTo(t, (address, frame) => {
    if (frame) return json([{ type: "message.ack", cid: frame.cid, gen: frame.gen }]);
    asked.push(address);
    return asked.length === 1
      ? events({ type: "gen.created", seq: 1 }, { type: "gen.delta", seq: 2, off: 0, text: "a" })
      : events({ type: "gen.done", seq: 3 });
  });
  line.send(JSON.stringify({ type: "message.send", cid: "i", gen: "g", text: "hi" }));
  await frames(3);
  while (asked.length < 2) {
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(1_000);
  }
  assert.deepEqual((await frames(4)).map(({ type }) => type), ["message.ack", "gen.created", "gen.delta", "gen.done"]);
  assert.match(asked[1], /after=2/);
  line.close();
});

test("a refused frame is told, and its answer is not followed", async (t) => {
  const asked = [];
  const { line, frames } = lineTo(t, (address, frame) => {
    asked.push(frame?.type ?? address);
    return json([{ type: "error", ref: "g", code: "inflight_limit" }], 429);
  });
  line.send(JSON.stringify({ type: "gen.regenerate", gen: "g", message: "m" }));
  assert.equal((await frames(1))[0].code, "inflight_limit");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(asked, ["gen.regenerate"]);
  line.close();
});

test("who asks may change, and what only a socket is told is not asked for", async (t) => {
  const asked = [];
  const { line, frames } = lineTo(t, (address, frame) => {
    asked.push(frame.type);
    return json([{ type: "pong", n: frame.n }]);
  });
  line.send(JSON.stringify({ type: "pool.watch", every_ms: 5000 }));
  line.send(JSON.stringify({ type: "identify", user_jwt: "e.e.e" }));
  assert.deepEqual((await frames(2)).map(({ type }) => type), ["pong", "identified"]);
  assert.deepEqual(asked, ["ping"]);
  line.close();
});

test("a refusal of the whole request is told like one of a frame, and ends the line", async (t) => {
  const { line, frames } = lineTo(t, () => json({ error: { code: "unauthorised", message: "Who?" } }, 401));
  const closed = new Promise((resolve) => (line.onclose = resolve));
  line.send(JSON.stringify({ type: "identify", user_jwt: "old" }));
  assert.deepEqual(await frames(1), [{ type: "error", ref: "identify", code: "unauthorised", text: "Who?" }]);
  await closed;
});

test("a line that fails closes like a socket, once", async (t) => {
  const { line } = lineTo(t, () => Promise.reject(new TypeError("no network")));
  const codes = [];
  const closed = new Promise((resolve) => (line.onclose = ({ code }) => resolve(codes.push(code))));
  line.send(JSON.stringify({ type: "ping", n: 1 }));
  line.send(JSON.stringify({ type: "ping", n: 2 }));
  await closed;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(codes, [1006]);
});
