"""What one socket still has to send, bounded in bytes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

MAX_FRAME_BYTES = 64 * 1024
"""Servers refuse to send more in one frame, as they refuse to receive it."""
MAX_UNSENT_BYTES = 128 * 1024
"""A live answer is 3 KB a second at most; a browser that lags behind so far has gone away."""


log = logging.getLogger(__name__)


def as_text(frame: dict[str, Any]) -> bytes | None:
    """A frame as it goes over the line, or None if it is too big for one.

    A big answer goes without its formatting rather than not at all.
    """
    for form in (frame, _plain(frame)):
        text = json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode()
        if len(text) <= MAX_FRAME_BYTES:
            return text
    return None


def _plain(frame: dict[str, Any]) -> dict[str, Any]:
    if "blocks" in frame:
        return {**frame, "blocks": []}
    if isinstance(frame.get("message"), dict):
        return {**frame, "message": {**frame["message"], "nodes": None}}
    return frame


class Outbox:
    """Frames in their order, as they go over the line. Belongs to one event loop."""

    def __init__(self, on_overflow: Callable[[], None]) -> None:
        """``on_overflow`` is called once, when the reader is given up; what it puts is kept."""
        self._texts: deque[bytes] = deque()
        self._num_bytes = 0
        self._num_unsent = 0
        self._on_overflow = on_overflow
        self._has_overflowed = False
        self._arrived = asyncio.Event()
        self._changed = asyncio.Event()

    def put(self, frame: dict[str, Any]) -> None:
        """Add a frame; a socket that does not read is given up instead of growing for ever.

        One frame alone always fits. A frame too big for any line is left out: its reader sees a
        gap and asks again.
        """
        if self._has_overflowed:
            return
        text = as_text(frame)
        if text is None:
            log.error("A frame of type %s is too big to be sent.", frame.get("type"))
            return
        if self._texts and self._num_bytes + len(text) > MAX_UNSENT_BYTES:
            # Nobody will read it; its memory is wanted now.
            self._num_unsent -= len(self._texts)
            self._texts.clear()
            self._num_bytes = 0
            self._on_overflow()
            self._has_overflowed = True
            return
        self._texts.append(text)
        self._num_bytes += len(text)
        self._num_unsent += 1
        self._arrived.set()

    @property
    def num_bytes(self) -> int:
        """How much waits."""
        return self._num_bytes

    async def get(self) -> str:
        """Wait for the next frame; returns it as it goes over the line."""
        while not self._texts:
            self._arrived.clear()
            await self._arrived.wait()
        text = self._texts.popleft()
        self._num_bytes -= len(text)
        return text.decode()

    def task_done(self) -> None:
        """The frame of the last ``get`` was sent."""
        self._num_unsent -= 1
        self._changed.set()

    async def wait_until_sent(self) -> None:
        """Wait until everything put so far, and what is put meanwhile, was sent."""
        while self._num_unsent > 0:
            self._changed.clear()
            await self._changed.wait()
