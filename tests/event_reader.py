"""Reads server-sent events the way the page does, from any pieces of bytes."""

from __future__ import annotations

import json
from typing import Any


class EventReader:
    """Takes pieces of a stream and gives the frames in it."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.comments: list[str] = []
        self.last_id = ""
        self._rest = b""

    def feed(self, piece: bytes) -> list[dict[str, Any]]:
        """Take a piece; returns the frames it completes."""
        *events, self._rest = (self._rest + piece).split(b"\n\n")
        found = []
        for event in events:
            data = []
            for line in event.decode().split("\n"):
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "":
                    self.comments.append(value)
                elif name == "id":
                    self.last_id = value
                elif name == "data":
                    data.append(value)
                elif name == "event":
                    assert value, line
                else:
                    assert name == "retry" and value.isdigit(), line
            if data:
                found.append(json.loads("\n".join(data)))
        self.frames += found
        return found
