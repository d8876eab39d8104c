// A whole answer out of frames that the schema of chat.v1 allows (test_frames.py sees to that).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fingerprint } from "../../apps/ai_chat/static/ai_chat/js/fingerprint.js";
import { Generation, Outcome, Phase } from "../../apps/ai_chat/static/ai_chat/js/generation.js";

const frames = JSON.parse(readFileSync(new URL("frames.json", import.meta.url)));

test("every kind of frame is understood", async () => {
  const answer = new Generation({ gen: frames[0].gen });
  for (const frame of frames) assert.equal(answer.apply(frame), Outcome.APPLIED, frame.type);
  assert.equal(answer.phase, Phase.DONE);
  assert.equal(answer.text, "# One\n\nTwo *is* it \u{1F999}");
  assert.equal(answer.shownTail, "");
  assert.equal(answer.shownBlocks.length, 2);
  assert.equal(answer.trimmedTurns, 2);
  assert.equal(answer.notices.filter(({ code }) => code === "reduced").length, 2);
  assert.deepEqual(answer.notice("did_you_mean").items, ["How much is it?"]);
  assert.equal(await fingerprint(answer.text), answer.done.sha256_8);
});

test("frames that come twice change nothing", () => {
  const answer = new Generation({ gen: frames[0].gen });
  for (const frame of frames.flatMap((each) => [each, each])) answer.apply(frame);
  assert.equal(answer.text, "# One\n\nTwo *is* it \u{1F999}");
  assert.equal(answer.shownBlocks.length, 2);
});
