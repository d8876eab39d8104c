"""One accepted request as its reader sees it. It may outlive its pool."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from ai_model.pool.frames import Frame
from ai_model.pool.request import PoolRequest
from tests.ai_model.pool.builders import check_log, durable, text_of
from tests.ai_model.pool.scripted_engine import SCRIPT, STORY

TERMINAL = ("gen.done", "gen.error")
LATE = ("deadline", "first_token_timeout", "stalled")
"""How an answer ends that passed a limit of time while it ran."""


@dataclass
class Life:
    """One accepted request, as its reader sees it."""

    request: PoolRequest
    submitted_at: float
    follower: asyncio.Task[Any]
    frames: list[Frame] = field(default_factory=list)
    """What the reader was shown by the present pool."""
    stopped_at: float | None = None
    max_tokens: int = 0

    @property
    def id(self) -> str:
        """The generation."""
        return self.request.generation

    @property
    def is_open(self) -> bool:
        """Whether there is no terminal frame yet."""
        return not self.frames or self.frames[-1]["type"] not in TERMINAL

    @property
    def text(self) -> str:
        """What the reader has."""
        return text_of(self.frames)[: self.frames[-1].get("chars")]

    @property
    def can_go_on(self) -> bool:
        """Whether it ended somewhere within the story."""
        is_done = not self.is_open and self.frames[-1]["type"] == "gen.done"
        return is_done and self.frames[-1]["reason"] != "stop" and bool(self.text)

    @property
    def places(self) -> list[Frame]:
        """The places in line that were told."""
        return [frame for frame in self.frames if frame["type"] == "gen.queue"]

    def check(self) -> None:
        """One log: no gap, nothing twice, one end and nothing behind it."""
        numbers = [frame["seq"] for frame in durable(self.frames)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert sum(frame["type"] in TERMINAL for frame in self.frames) == (not self.is_open)
        assert STORY.startswith(text_of(self.frames))
        for earlier, later in zip(self.places, self.places[1:], strict=False):
            assert later["position"] <= earlier["position"] or later.get("reason")
        if self.is_open:
            return
        end = check_log(self.frames)
        if end["type"] == "gen.error":
            assert end["code"] in (*LATE, "queue_timeout", "internal", "pool_lost", "no_model")
        elif end["reason"] == "stop":
            assert text_of(self.frames) == STORY
        elif end["reason"] == "length" and self.request.num_given_chars:
            # What was given has a token for each character here, and is none of its own.
            num_tokens = sum(len(frame.get("tokens", ())) for frame in self.frames)
            assert num_tokens == self.request.num_given_chars + self.max_tokens
        elif end["reason"] == "length":
            assert text_of(self.frames) == "".join(SCRIPT[: self.max_tokens])
