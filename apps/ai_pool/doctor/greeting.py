"""Says hello on an open WebSocket and listens to the first answer: the smallest client there is."""

from __future__ import annotations

import json
import os
from typing import Protocol

MAX_FRAMES = 8
MAX_FRAME_BYTES = 65536
_TEXT, _CLOSE = 1, 8


class Line(Protocol):
    """What comes from the server, byte by byte."""

    def read(self, size: int, /) -> bytes:
        """Return that many bytes, fewer at the end."""


def hello_frame() -> bytes:
    """The first frame of chat.v1, masked as a browser's."""
    return _frame(_TEXT, json.dumps({"type": "hello", "v": 1}).encode())


def close_frame() -> bytes:
    """Good-bye."""
    return _frame(_CLOSE, b"\x03\xe8")


def answer_of(line: Line) -> str:
    """Return ``welcome``, the code of the error that came instead, or "" for neither."""
    for _ in range(MAX_FRAMES):
        head = line.read(2)
        if len(head) < 2 or head[0] & 0x0F == _CLOSE:
            break
        size = head[1] & 0x7F
        if size >= 126:
            size = int.from_bytes(line.read(2 if size == 126 else 8))
        if size > MAX_FRAME_BYTES:
            break
        data = line.read(size)
        if head[0] & 0x0F != _TEXT:
            continue
        try:
            frame = json.loads(data)
            if frame["type"] == "welcome":
                return "welcome"
            if frame["type"] == "error":
                return str(frame["code"])
        except (ValueError, KeyError, TypeError):
            continue
    return ""


def _frame(opcode: int, data: bytes) -> bytes:
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    return bytes([0x80 | opcode, 0x80 | len(data)]) + mask + masked
