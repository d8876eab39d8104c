"""The values a browser's frame may hold: each kind is checked by one function.

They return the checked value and raise ValueError with the end of a sentence about the field.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

MAX_RESUMES = 16
MAX_NUMBER = 2**53
MAX_TOKEN_CHARS = 4096
MAX_CONTEXT_ITEMS = 10
MAX_CONTEXT_NAME_CHARS = 40
MAX_CONTEXT_CHARS = 200
MAX_PAGE_CHARS = 300
MAX_REASON_CHARS = 40
MAX_COMMENT_CHARS = 1000
MIN_WATCH_MS = 1000
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def identifier(value: Any) -> uuid.UUID:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError("must be a UUID")
    return uuid.UUID(value)


def number(value: Any) -> int:
    if not _is_whole(value) or not 0 <= value <= MAX_NUMBER:
        raise ValueError("must be a whole number from 0")
    return int(value)


def _is_whole(value: Any) -> bool:
    """True for 1 and for 1.0, which JSON does not tell apart."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must not hold half a character") from None
    # Nobody types it, nothing shows it, and PostgreSQL stores no text with it.
    return value.replace("\x00", "")


def text_up_to(max_chars: int) -> Callable[[Any], str]:
    """A parser of texts with at most so many characters."""

    def parse(value: Any) -> str:
        checked = text(value)
        if len(checked) > max_chars:
            raise ValueError("is too long")
        return checked

    return parse


def resumes(value: Any) -> tuple[tuple[uuid.UUID, int], ...]:
    if not isinstance(value, list) or len(value) > MAX_RESUMES:
        raise ValueError(f"must be a list of at most {MAX_RESUMES}")
    pairs = []
    for item in value:
        after = _object(item).get("after")
        pairs.append((identifier(item.get("gen")), 0 if after is None else number(after)))
    return tuple(pairs)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def texts_of(max_chars: int, *names: str) -> Callable[[Any], dict[str, str]]:
    """A parser of objects in which these fields are texts; other fields are ignored."""
    parse_text = text_up_to(max_chars)

    def parse(value: Any) -> dict[str, str]:
        given = _object(value)
        return {name: parse_text(given[name]) for name in names if given.get(name) is not None}

    return parse


def context(value: Any) -> dict[str, str]:
    """What a page tells about itself: a few short plain values, all kept as texts."""
    if len(_object(value)) > MAX_CONTEXT_ITEMS:
        raise ValueError(f"may hold {MAX_CONTEXT_ITEMS} values")
    return {text_up_to(MAX_CONTEXT_NAME_CHARS)(name): _plain(item) for name, item in value.items()}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise ValueError("holds too big a number")
        value = json.dumps(value)
    return text_up_to(MAX_CONTEXT_CHARS)(value)


def thumb(value: Any) -> int:
    if not _is_whole(value) or value not in (-1, 0, 1):
        raise ValueError("must be 1, 0 or -1")
    return int(value)


def watch_ms(value: Any) -> int:
    if number(value) < MIN_WATCH_MS:
        raise ValueError(f"must be at least {MIN_WATCH_MS}")
    return int(value)
