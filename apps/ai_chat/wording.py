"""The form in which two wordings of one question are the same, and how alike two forms are.

``normalise`` decides which questions are answered without the model, so it forgets only what never
changes what is asked: case, spaces, sentence punctuation, marks of typing rather than of spelling.
Everything here is pure and linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata

_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\u02b9\u0060\u00b4\uff07"
_TATWEEL = "\u0640"
_ARABIC_MARKS = re.compile(
    "[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]"
)
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_REPLACED = {ord(char): "-" for char in _HYPHENS} | {ord(char): None for char in _APOSTROPHES}
_MEANINGFUL = frozenset("#%&@*/\\+=<>")
"""Punctuation that tells words apart even at their ends: C and C#, 5 and 5 %."""
_NUM_PASSES = 4
_GRAM_CHARS = 3


def normalise(text: str) -> str:
    """Return the form of ``text`` by which it is recognised; "" if no word is in it.

    - Unicode NFKC and full case folding: full-width letters, ligatures, capitals; German ß is ss
      (umlauts stay: "schon" and "schön" are two words).
    - Zero-width and direction marks, soft hyphens, variation selectors and control characters go;
      any run of white space is one space.
    - Arabic: tatweel and vowel marks go, letters stay as they were written.
    - Digits of every script are 0 to 9. Apostrophes go, every dash is a hyphen.
    - Punctuation at the ends of words goes; inside a word ("1.5", "24/7") it stays, and so do
      signs such as # % + and a minus or point before a digit.
    """
    for _ in range(_NUM_PASSES):
        # What one step removes can let two others meet, rarely; then there is one more pass.
        before, text = text, _folded(text)
        if text == before:
            break
    return text


def _folded(text: str) -> str:
    text = text.translate(_REPLACED)
    text = "".join(_plain_char(char) for char in text)
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKC", text).translate(_REPLACED)
    text = _ARABIC_MARKS.sub("", text)
    words = (_without_edges(word) for word in text.split())
    return " ".join(word for word in words if word)


def _plain_char(char: str) -> str:
    """One character without what cannot be seen."""
    if char.isascii():
        return char if char.isprintable() else " "
    if char == _TATWEEL or _VARIATION_SELECTORS.match(char):
        return ""
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    if category in ("Cc", "Cs", "Zl", "Zp", "Zs"):
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return char


def _without_edges(word: str) -> str:
    """A word without the punctuation around it."""
    start, end = 0, len(word)
    while start < end and _is_loose(word[start]):
        if word[start] in "-." and word[start + 1 : start + 2].isdigit():
            break
        start += 1
    while end > start and _is_loose(word[end - 1]):
        end -= 1
    return word[start:end]


def _is_loose(char: str) -> bool:
    return char not in _MEANINGFUL and unicodedata.category(char)[0] == "P"


def grams(normalised: str) -> frozenset[str]:
    """The pieces of three characters that similar texts share, beginnings and ends of words too."""
    found: set[str] = set()
    for word in normalised.split():
        padded = f" {word} "
        found.update(padded[i : i + _GRAM_CHARS] for i in range(len(padded) - _GRAM_CHARS + 1))
    return frozenset(found)
