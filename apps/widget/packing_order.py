"""The order of a script's functions and classes in which it packs best.

gzip writes what it has seen as a way back, and a short way is cheaper than a long one. Which order
is good can only be tried: ``manage.py widget_order`` does so and keeps the names it found in
``packing_order.txt``. A stale list costs a few bytes and nothing else.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from apps.widget.javascript import Kind, tokens

KEPT_IN = Path(__file__).with_suffix(".txt")
# A function or class at the top of a module, up to the brace at the beginning of a line.
_MOVABLE = re.compile(r"^(?:async )?(?:class|function)\*? (\w+).*?^\}\n", re.MULTILINE | re.DOTALL)
_LEVEL = 9


def kept_order() -> list[str]:
    """The names in the order that was found last."""
    return KEPT_IN.read_text("utf-8").split()


def put_in_order(modules: str, order: Sequence[str]) -> str:
    """The joined modules, everything else first, then functions and classes in this order.

    Those that are not in ``order`` keep theirs, behind the others.
    """
    found = {match[1]: match[0] for match in _MOVABLE.finditer(modules)}
    names = [name for name in order if name in found]
    names += [name for name in found if name not in names]
    return "".join([_MOVABLE.sub("", modules), *(found[name] for name in names)])


def movable_names(modules: str) -> list[str]:
    """The names of what may be put in order."""
    return [match[1] for match in _MOVABLE.finditer(modules)]


def better_order(minified: str, names: Sequence[str], *, tries: int, seed: int = 1) -> list[str]:
    """A better order of ``names``, the functions and classes of a minified script as they stand."""
    head, parts, tail = _parts(minified)
    if len(parts) != len(names):
        raise ValueError(f"{len(names)} names for {len(parts)} functions and classes")
    chance = random.Random(seed)
    best, least = list(range(len(parts))), len(minified)
    for _ in range(tries):
        order = best.copy()
        order.insert(chance.randrange(len(order)), order.pop(chance.randrange(len(order))))
        script = head + "".join(parts[at] for at in order) + tail
        weight = len(zlib.compress(script.encode(), _LEVEL))
        if weight <= least:
            best, least = order, weight
    return [names[at] for at in best]


def _parts(minified: str) -> tuple[str, list[str], str]:
    """What stands before the first function or class, each of them, and what stands behind."""
    starts: list[int] = []
    depth = at = end = 0
    before = ""
    for token in tokens(minified):
        if depth == 2 and token.kind is Kind.NAME and token.text in ("function", "class"):
            starts.append(at - len("async ") if before == "async" else at)
        if depth == 2 and token.kind is Kind.NAME and token.text in ("return", "let") and starts:
            end = at
        if token.kind is Kind.OTHER:
            depth += (token.text in ("(", "[", "{", "${")) - (token.text in (")", "]", "}"))
        at += len(token.text)
        before = token.text if not token.text.isspace() else before
    stops = [*starts[1:], end]
    parts = [minified[start:stop] for start, stop in zip(starts, stops, strict=True)]
    return minified[: starts[0]], parts, minified[end:]
