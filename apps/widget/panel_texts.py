"""Puts the sentences of one language into the panel's script, in place of the English ones.

Where a letter takes two bytes, a sentence is sent in letters of one byte, and ``spelt`` of
``texts.js`` puts the right ones in their place: that is a quarter of its weight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from apps.widget.javascript import Kind, Token, tokens
from apps.widget.texts import direction, messages


class NotTranslatable(ValueError):
    """A text is not written out where it is asked for."""


# The first of up to 58 letters that stand for A to z.
_FIRST_LETTER = {"ar": "\u0621"}
_SPELT = re.compile(r"^function spelt\(.*?^\}\n", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"(%\(\w+\)s)")
_LATIN = re.compile(r"[A-z]")


def put_texts(script: str, language: str) -> str:
    """The script in this language; an English sentence nobody translated stays."""
    first = _FIRST_LETTER.get(language)
    marks = {
        "__LANGUAGE__": language,
        "__DIR__": direction(language),
        'Number("__SHIFT__")': str(ord(first) - ord("A")) if first else "",
    }
    if not first:
        script = _SPELT.sub("", script)
    written = "".join(_replaced(list(tokens(script)), language))
    for mark, value in marks.items():
        written = written.replace(mark, value)
    return written


def _replaced(found: list[Token], language: str) -> Iterator[str]:
    known = messages(language)
    first = _FIRST_LETTER.get(language)
    at = 0
    while at < len(found):
        token = found[at]
        if token.kind is Kind.NAME and token.text == "ngettext":
            raise NotTranslatable("a counted text")
        if token.kind is Kind.NAME and token.text == "gettext":
            # gettext ( "text" )
            text, at = _text_at(found, at + 2)
            translated = str(known.get(text) or text)
            yield _spelt(translated, ord(first)) if first else _quoted(translated)
        else:
            yield token.text
        at += 1


def _spelt(text: str, first: int) -> str:
    """A text whose letters begin at ``first``, in the letters from A on if it has none of those."""
    parts = _PLACE.split(text)
    # Every second part is a place where a value will stand.
    if text.isascii() or any(map(_LATIN.search, parts[::2])):
        return _quoted(text)
    last = first + ord("z") - ord("A")
    letters = {code: code - first + ord("A") for code in range(first, last + 1)}
    parts[::2] = [part.translate(letters) for part in parts[::2]]
    return f"spelt({_quoted(''.join(parts))})"


def _text_at(found: list[Token], at: int) -> tuple[str, int]:
    """The text that begins here, and where it is over."""
    while at < len(found) and found[at].text.isspace():
        at += 1
    if at >= len(found) or found[at].kind is not Kind.TEXT or found[at].text[0] != '"':
        around = "".join(token.text for token in found[max(0, at - 3) : at + 1])
        raise NotTranslatable(around)
    text: str = json.loads(found[at].text)
    return text, at + 1


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
