"""Puts the sentences of one language into the panel's script, in place of the English ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from apps.widget.javascript import Kind, Token, tokens
from apps.widget.texts import direction, messages, plural_names


class NotTranslatable(ValueError):
    """A text is not written out where it is asked for."""


def put_texts(script: str, language: str) -> str:
    """The script in this language; an English sentence nobody translated stays."""
    marks = {
        "__LANGUAGE__": language,
        "__DIR__": direction(language),
        "__PLURALS__": " ".join(plural_names(language)),
    }
    found = list(tokens(script))
    written = "".join(_replaced(found, language))
    return re.sub(r"__(?:LANGUAGE|DIR|PLURALS)__", lambda mark: marks[mark[0]], written)


def _replaced(found: list[Token], language: str) -> Iterator[str]:
    known = messages(language)
    at = 0
    while at < len(found):
        token = found[at]
        asked = token.kind is Kind.NAME and token.text in ("gettext", "ngettext")
        if not asked:
            yield token.text
            at += 1
        elif token.text == "gettext":
            # gettext ( "text" )
            text, at = _text_at(found, at + 2)
            yield _quoted(str(known.get(text) or text))
            at += 1
        else:
            # ngettext ( "one" , "many" , ...
            one, at = _text_at(found, at + 2)
            many, at = _text_at(found, at + 1)
            forms = known.get(one) or (one, many)
            yield "formOf(" + ", ".join(_quoted(form) for form in forms)


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
