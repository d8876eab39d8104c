"""The durable frames of one generation, and followers who read them at their own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ai_model.pool.errors import UnknownGeneration
from ai_model.pool.frames import Frame
from ai_model.pool.odds_frame import num_odds_bytes

FRAME_OVERHEAD_BYTES = 400
"""What a frame costs in memory beside its text and tokens, for the bound on all logs."""


class EventLog:
    """Frames of one generation: durable ones numbered from 1 without gaps, and the last ephemeral.

    A follower is a position in this log and has no buffer of its own, so a slow one costs nothing
    and never holds anybody up. The log is bounded because an answer is: it has at most one frame
    per token. Lives on one event loop.
    """

    def __init__(self, generation: str) -> None:
        self.generation = generation
        self.is_ended = False
        self.is_acknowledged = False
        self.num_bytes = 0
        self._frames: list[Frame] = []
        self._ephemeral: Frame | None = None
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def last_seq(self) -> int:
        """Number of the newest durable frame, 0 for none."""
        return len(self._frames)

    def append(self, frame_type: str, fields: Frame, *, is_terminal: bool = False) -> Frame:
        """Add a durable frame, waking the followers; nothing can follow a terminal one."""
        if self.is_ended:
            raise RuntimeError(f"a {frame_type} came behind the end of its generation")
        frame = {**fields, "type": frame_type, "gen": self.generation, "seq": self.last_seq + 1}
        self._frames.append(frame)
        self.num_bytes += FRAME_OVERHEAD_BYTES + _num_payload_bytes(frame)
        # A position in the queue is old news once something durable has happened.
        self._ephemeral = None
        self.is_ended = is_terminal
        self._wake()
        return frame

    def publish(self, frame_type: str, fields: Frame) -> None:
        """Show an ephemeral frame to the followers; a newer one replaces it."""
        if not self.is_ended:
            self._ephemeral = {**fields, "type": frame_type, "gen": self.generation}
            self._wake()

    def replay(self, after: int = 0) -> list[Frame]:
        """Return the durable frames behind number ``after``."""
        return self._frames[after:]

    def follow(self, after: int = 0) -> AsyncIterator[Frame]:
        """Yield the frames behind number ``after`` and then new ones, ending with the terminal one.

        Raises UnknownGeneration when the log has no frame ``after``: it belongs to another life of
        this generation, and skipping frames silently would lose text.
        """
        if after > self.last_seq:
            raise UnknownGeneration(
                f"the log has {self.last_seq} frames and was asked for those behind {after}"
            )
        return self._follow(after)

    async def _follow(self, after: int) -> AsyncIterator[Frame]:
        shown: Frame | None = None
        while True:
            if after < self.last_seq:
                after += 1
                yield self._frames[after - 1]
            elif self.is_ended:
                return
            elif self._ephemeral is not None and self._ephemeral is not shown:
                shown = self._ephemeral
                yield shown
            else:
                await self._wait()

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


def _num_payload_bytes(frame: Frame) -> int:
    num_bytes = 4 * len(frame.get("text", "")) + 32 * len(frame.get("tokens", ()))
    return num_bytes + num_odds_bytes(frame.get("odds", ()))
