"""The pool protocol on the wire: a JSON object per line, at most 1 MiB, the version in the first.

A client begins with ``hello``; the pool answers ``welcome``, or ``refused`` with a sentence. Then
the client sends commands (see commands.py), each with an ``id`` of its own, and the pool answers
each with ``ok``, ``error`` or ``status`` carrying that id. A subscription is followed by ``event``
frames with its id in ``sub``, and by ``end`` after the last.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields

PROTOCOL = "pool.v1"
MAX_FRAME_BYTES = 1024 * 1024
"""Longest line, the newline included."""

Frame = dict[str, Any]


def encode(frame: Frame) -> bytes:
    """Return the line that carries ``frame``. Raises BadFrame when it cannot be carried."""
    try:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        line = text.encode() + b"\n"
    except (TypeError, ValueError, RecursionError):
        raise BadFrame("the frame cannot be written as JSON") from None
    if len(line) > MAX_FRAME_BYTES:
        raise BadFrame(f"the frame has {len(line)} bytes, {MAX_FRAME_BYTES} are allowed")
    return line


def decode(line: bytes) -> Frame:
    """Return the frame in ``line``: a JSON object with a ``type``. Raises BadFrame."""
    if len(line) > MAX_FRAME_BYTES:
        raise BadFrame(f"the frame is longer than {MAX_FRAME_BYTES} bytes")
    try:
        frame = json.loads(line.decode(), parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise BadFrame("the frame is not valid JSON in UTF-8") from None
    Fields(frame).text("type", max_chars=32)
    assert isinstance(frame, dict)
    return frame


def check_protocol(frame: Frame) -> str | None:
    """Return None when ``frame`` (a hello or welcome) speaks our version, else a sentence."""
    theirs = Fields(frame).text("protocol", max_chars=32)
    if theirs == PROTOCOL:
        return None
    return (
        f"This process speaks {PROTOCOL} and the other one {theirs}: restart the web server and "
        "the pool so that both run the same release."
    )


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
