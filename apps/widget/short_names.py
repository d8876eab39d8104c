"""Shortens names that only the panel's own parts know: properties, classes and custom properties.

The minifier shortens what it can see is local. A property is known to nobody but us only if it is
neither the browser's nor the server's, and no text spells it; such names are listed here. Classes
are shortened when both the script and the style spell them in full.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from string import ascii_letters

from apps.widget.javascript import Kind, Token, tokens

# Properties and methods of our own. The tests compare them with what a browser has and with what
# the server's frames are made of.
PROPERTIES = frozenset(
    """
    """.split()
)
# What a host page may set from outside, and what the launcher does.
_PUBLIC_TOKEN = re.compile(r"(?:accent|bg|fg|bubble-user|radius|font|inset-[xy]|z)\Z")
_TOKEN = re.compile(r"--corral-([a-z-]+)")
_CLASS = re.compile(r"\b[a-z]+(?:-[a-z]+)?__[a-z]+(?:--[a-z]+)?\b")


class NotShortenable(ValueError):
    """A name that is to be shortened is also spelled in a text."""


def shorten(script: str, style: str) -> tuple[str, str]:
    """Script and style with short names."""
    found = list(tokens(script))
    spelled = {word for token in found if token.kind is Kind.TEXT for word in _words(token.text)}
    if clash := PROPERTIES & spelled:
        raise NotShortenable(", ".join(sorted(clash)))
    names = _short(token.text for token in found if token.text in PROPERTIES)
    texts = [token.text for token in found if token.kind is Kind.TEXT]
    in_script = Counter(name for text in texts for name in _CLASS.findall(text))
    in_style = Counter(_CLASS.findall(style))
    classes = _short((in_script + in_style).elements(), only=in_script.keys() & in_style.keys())
    custom = _short(
        (name for name in _TOKEN.findall(style) if not _PUBLIC_TOKEN.match(name)), prefix="--"
    )

    def put(text: str) -> str:
        text = _CLASS.sub(lambda name: classes.get(name[0], name[0]), text)
        return _TOKEN.sub(lambda name: custom.get(name[1], name[0]), text)

    def renamed(token: Token) -> str:
        if token.kind is Kind.NAME:
            return names.get(token.text, token.text)
        return put(token.text) if token.kind is Kind.TEXT else token.text

    return "".join(map(renamed, found)), put(style)


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z_$][\w$]*", text)


def _short(
    names: Iterable[str], *, only: Iterable[str] | None = None, prefix: str = "_"
) -> dict[str, str]:
    """Short names by long ones, the shortest for the most frequent."""
    wanted = None if only is None else set(only)
    counted = Counter(name for name in names if wanted is None or name in wanted)
    ordered = sorted(counted, key=lambda name: (-counted[name], name))
    return dict(zip(ordered, _candidates(prefix), strict=False))


def _candidates(prefix: str) -> Iterator[str]:
    for length in (1, 2):
        for letters in product(ascii_letters, repeat=length):
            yield prefix + "".join(letters)
