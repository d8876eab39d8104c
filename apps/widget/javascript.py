"""JavaScript cut into its tokens, as far as a release of the widget has to know them.

Not a parser: it tells names of the code from texts, patterns and comments, in the form this project
writes JavaScript. ``a / b`` and ``/pattern/`` are told apart by what stands before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a token is."""

    NAME = "name"
    # A quoted text with its quotes, or a piece of a template without its marks.
    TEXT = "text"
    PATTERN = "pattern"
    OTHER = "other"


@dataclass(frozen=True)
class Token:
    """A piece of a script; all pieces together are the script without its comments."""

    kind: Kind
    text: str


_PATTERN = r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*"
_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<text>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_AFTER_PATTERN_MARK = re.compile(_PATTERN)
_TEMPLATE = re.compile(r"(?:\\.|[^`\\$]|\$(?!\{))*", re.DOTALL)
# Behind these a slash begins a pattern.
_BEFORE_PATTERN = frozenset("(,=:[!&|?{};+-*%<>~^") | {"", "return", "typeof", "case"}


def tokens(source: str) -> Iterator[Token]:
    """The tokens of a script in order; a comment becomes a space."""
    depths: list[str] = []
    before, at = "", 0
    while at < len(source):
        if depths and depths[-1] == "`":
            piece = _TEMPLATE.match(source, at)
            assert piece is not None
            yield Token(Kind.TEXT, piece[0])
            at = piece.end()
            mark = source[at : at + 1] if source[at : at + 1] == "`" else source[at : at + 2]
            _follow(depths, mark)
            yield Token(Kind.OTHER, mark)
            at += max(1, len(mark))
            before = "" if mark == "${" else "`"
            continue
        match = _TOKEN.match(source, at)
        assert match is not None
        kind = match.lastgroup
        if match[0] == "/" and before in _BEFORE_PATTERN:
            match = _AFTER_PATTERN_MARK.match(source, at) or match
            kind = "pattern"
        at = match.end()
        _follow(depths, match[0])
        yield _token(kind, match[0])
        if kind not in ("comment", "space"):
            before = match[0]


def _follow(depths: list[str], mark: str) -> None:
    """Remember whether what follows is code or the words of a template."""
    if mark == "`" and depths and depths[-1] == "`":
        depths.pop()
    elif mark in ("`", "{", "${"):
        depths.append("`" if mark == "`" else "{")
    elif mark == "}" and depths:
        depths.pop()


def _token(kind: str | None, text: str) -> Token:
    kinds = {"text": Kind.TEXT, "name": Kind.NAME, "pattern": Kind.PATTERN}
    return Token(kinds.get(kind or "", Kind.OTHER), " " if kind == "comment" else text)
