// Looking up sentences, plural forms and places to fill.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { duration, leftSentence, queueSentence } from "../../apps/ai_chat/static/ai_chat/js/phrases.js";
import { direction, fill, gettext, keyOf, language, ngettext, useCatalog } from "../../apps/ai_chat/static/ai_chat/js/texts.js";

const ENGLISH = { language: "en", dir: "ltr", plural: ["one", "other"], messages: {} };
const ARABIC = {
  language: "ar",
  dir: "rtl",
  plural: ["zero", "one", "two", "few", "many", "other"],
  messages: {
    [keyOf("%(n)s character left")]: ["zero", "one", "two", "%(n)s few", "%(n)s many", "%(n)s other"],
    [keyOf("You're number %(place)s in line")]: "%(place)s",
    [keyOf("%(what)s, about %(time)s")]: "%(time)s / %(what)s",
  },
};

afterEach(() => useCatalog(ENGLISH));

test("English needs no catalog", () => {
  assert.equal(gettext("Copy"), "Copy");
  assert.deepEqual([0, 1, 2].map((n) => ngettext("a day", "days", n)), ["days", "a day", "days"]);
  assert.deepEqual([language(), direction()], ["en", "ltr"]);
});

test("a catalog answers for what it knows; the rest stays English", () => {
  useCatalog({ language: "de", messages: { [keyOf("Copy")]: "Kopieren" } });
  assert.deepEqual([gettext("Copy"), gettext("Send"), ngettext("a day", "days", 2)], ["Kopieren", "Send", "days"]);
  assert.deepEqual([language(), direction()], ["de", "ltr"]);
});

test("all six plural forms", () => {
  useCatalog(ARABIC);
  assert.deepEqual([0, 1, 2, 3, 11, 100].map(leftSentence).map((text) => text.split(" ").at(-1)),
    ["zero", "one", "two", "few", "many", "other"]);
  assert.equal(direction(), "rtl");
});

test("a form the catalog lacks is its last one", () => {
  useCatalog({ ...ARABIC, plural: ["one", "other"], messages: { [keyOf("a")]: ["eins", "viele"] } });
  assert.equal(ngettext("a", "b", 3), "viele");
});

test("places are filled by name, in any order, and unknown ones stay", () => {
  assert.equal(fill("%(b)s %(a)s %(b)s %(c)s %s", { a: 0, b: "x" }), "x 0 x %(c)s %s");
  assert.equal(fill("%(a)s", { a: "$& %(b)s", b: "no" }), "$& %(b)s");
});

test("numbers and durations follow the language", () => {
  useCatalog({ ...ENGLISH, language: "de" });
  assert.deepEqual([duration(8), duration(70)], ["10 Sekunden", "1 Minute"]);
  assert.match(leftSentence(1234), /1\.234/);
  useCatalog(ARABIC);
  assert.equal(duration(120), "\u062f\u0642\u064a\u0642\u062a\u0627\u0646");
  assert.match(queueSentence({ position: 4, eta_s: [20, 40] }, true), /^.+\u062b\u0627\u0646\u064a\u0629 \/ [4\u0664]$/);
});

test("digits are those of the browser's country, where that speaks the language", () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  try {
    Object.defineProperty(globalThis, "navigator", { value: { language: "ar-EG" }, configurable: true });
    useCatalog({ ...ENGLISH, language: "ar" });
    assert.match(leftSentence(12), /\u0661\u0662/);
    useCatalog(ENGLISH);
    assert.match(leftSentence(12), /12/);
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete globalThis.navigator;
  }
});

test("the reader of catalogs stays tiny", () => {
  const source = readFileSync(new URL("../../apps/ai_chat/static/ai_chat/js/texts.js", import.meta.url), "utf8");
  // Comments stay at home.
  assert.ok(gzipSync(source.replace(/\/\*.*?\*\//gs, "")).length <= 700);
});
