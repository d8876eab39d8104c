// The bar: trouble with the connection first, then the operator's banner.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Link } from "../../apps/ai_chat/static/ai_chat/js/socket.js";
import { StatusLine } from "../../apps/ai_chat/static/ai_chat/js/status_line.js";

globalThis.document ??= { hidden: false };

function makeLine() {
  mock.timers.enable({ apis: ["setTimeout"] });
  const said = [];
  const parts = { box: { dataset: {} }, text: {}, bar: { hidden: true }, barText: {} };
  const line = new StatusLine(parts, async () => "ok", { status: (text) => said.push(text) });
  const bar = () => {
    mock.timers.tick(10_000);
    return parts.bar.hidden ? "" : parts.barText.textContent;
  };
  return { line, parts, said, bar };
}

test("a banner is shown, read out once, and goes again", () => {
  const { line, parts, said, bar } = makeLine();
  line.setLink(Link.ONLINE);
  line.setBanner("We move on Monday.");
  assert.equal(bar(), "We move on Monday.");
  assert.equal(parts.barText.dir, "auto");
  line.setBanner("We move on Monday.");
  line.setPool("ok");
  assert.equal(bar(), "We move on Monday.");
  assert.deepEqual(said, ["We move on Monday."]);
  line.setBanner("");
  assert.equal(bar(), "");
  mock.timers.reset();
});

test("what is wrong with the connection goes before a banner", () => {
  const { line, bar } = makeLine();
  line.setLink(Link.ONLINE);
  line.setBanner("We move on Monday.");
  line.setLink(Link.OFFLINE);
  assert.match(bar(), /offline/);
  line.setLink(Link.ONLINE);
  assert.equal(bar(), "We move on Monday.");
  mock.timers.reset();
});

test("a paused pool is not called online", () => {
  const { line, parts } = makeLine();
  line.setLink(Link.ONLINE);
  line.setPool("paused");
  assert.equal(parts.text.textContent, "Back soon");
  mock.timers.reset();
});
