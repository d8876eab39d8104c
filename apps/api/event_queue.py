"""Server-sent events that one reader still has to get."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from apps.ai_chat.exchange import TERMINAL

JsonFrame = dict[str, Any]
MAX_UNREAD_BYTES = 256 * 1024


class EventQueue:
    """Takes the frames of one answer as an audience sends them, and holds them as events.

    Belongs to one event loop. Bounded: a reader that does not read is given up, and can come back
    with the number of the last event it has.
    """

    def __init__(self, generation: str, *, after: int) -> None:
        self._generation = generation
        self._last = after
        self._events: deque[bytes] = deque()
        self._num_bytes = 0
        self._has_ended = False
        self._news = asyncio.Event()

    def put(self, frame: JsonFrame) -> None:
        """Take a frame; those of other answers, and those that were read already, are left out."""
        if self._has_ended or frame.get("gen") != self._generation:
            return
        if frame["type"] == "gen.snapshot":
            self._last = frame["upto"]
        elif "seq" in frame:
            if frame["seq"] <= self._last:
                return
            self._last = frame["seq"]
        self._add(event_bytes(frame))
        if is_end(frame):
            self.end()

    def end(self, frame: JsonFrame | None = None) -> None:
        """Take no more; ``frame`` is the last word, if there is one to say."""
        if frame is not None and not self._has_ended:
            self._add(event_bytes(frame))
        self._has_ended = True
        self._news.set()

    @property
    def is_empty(self) -> bool:
        """True if everything that was put has been taken."""
        return not self._events

    @property
    def is_over(self) -> bool:
        """True if there is nothing left and nothing will come."""
        return self._has_ended and self.is_empty

    async def get(self) -> bytes:
        """Wait for the next event; b"" once it is over."""
        while self.is_empty and not self._has_ended:
            self._news.clear()
            await self._news.wait()
        if self.is_empty:
            return b""
        event = self._events.popleft()
        self._num_bytes -= len(event)
        return event

    def _add(self, event: bytes) -> None:
        # One event always fits: a long answer is a long snapshot.
        if self._events and self._num_bytes + len(event) > MAX_UNREAD_BYTES:
            self._events.clear()
            self._num_bytes = 0
            self.end()
            return
        self._events.append(event)
        self._num_bytes += len(event)
        self._news.set()


def event_bytes(frame: JsonFrame) -> bytes:
    """A frame as an event; its id is the number a client comes back with."""
    data = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    number = frame.get("upto") if frame["type"] == "gen.snapshot" else frame.get("seq")
    head = f"id: {number}\n" if number else ""
    return f"{head}data: {data}\n\n".encode()


def is_end(frame: JsonFrame) -> bool:
    """True for the last frame of an answer."""
    if frame["type"] == "gen.snapshot":
        return bool(frame["state"] != "streaming")
    return frame["type"] in TERMINAL
