"""A pool that answers what a test tells it to, one step at a time, with the client's methods."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ai_model.pool.errors import PoolError, PoolLost, PoolUnavailable, UnknownGeneration
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import ModelStatus, PoolState, PoolStatus


class FakePool:
    """Stands for the pool and its client at once.

    With ``script`` every question is answered with these pieces at once; without, a test drives
    each generation with ``start``, ``say``, ``finish`` and ``fail``.
    """

    def __init__(self, *script: str) -> None:
        self.script = script
        self.requests: list[PoolRequest] = []
        self.acknowledged: list[str] = []
        self.stopped: list[tuple[str, int | None]] = []
        self.refusals: list[PoolError] = []
        self.is_down = False
        self.state = PoolState.READY
        self.repeats_produced = True
        self._logs: dict[str, list[dict[str, Any]]] = {}
        self._life = 0
        self._news = asyncio.Condition()

    # The client's methods

    async def submit(self, request: PoolRequest, *, timeout_s: float = 10) -> None:
        self._check()
        if self.refusals:
            raise self.refusals.pop(0)
        self.requests.append(request)
        if request.generation in self._logs:
            return
        self._logs[request.generation] = []
        gen = request.generation
        await self._append(gen, "gen.created", **request.meta)
        given = request.produced_text
        if given and (self.repeats_produced or not request.produced):
            tokens = list(request.produced) or [ord(char) for char in given]
            await self._append(gen, "gen.delta", off=0, text=given, tokens=tokens)
        if self.script:
            await self.start(gen)
            for piece in self.script:
                await self.say(gen, piece)
            await self.finish(gen)

    async def subscribe(self, generation: str, *, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        self._check()
        if generation not in self._logs:
            raise UnknownGeneration
        life, place = self._life, after
        while True:
            async with self._news:
                await self._news.wait_for(
                    lambda: self._life != life or len(self._logs[generation]) > place  # noqa: B023
                )
                if self._life != life:
                    raise PoolLost
                frame = self._logs[generation][place]
            place += 1
            yield dict(frame)
            if frame["type"] in ("gen.done", "gen.error"):
                return

    async def stop(
        self, generation: str, *, seen: int | None = None, timeout_s: float = 10
    ) -> None:
        self._check()
        self.stopped.append((generation, seen))
        if generation in self._logs and not self._is_ended(generation):
            await self.finish(generation, reason="user_stop", seen=seen)

    async def acknowledge(self, generation: str) -> None:
        self._check()
        self.acknowledged.append(generation)

    async def status(self, *, timeout_s: float = 2) -> PoolStatus:
        self._check()
        model = ModelStatus(name="Fake", quant="Q8_0", is_demo=False, n_ctx=2048)
        return PoolStatus(state=self.state, model=model, num_instances=4, num_running=1)

    async def status_or_down(self) -> PoolStatus:
        """What the site is told: it never raises."""
        return PoolStatus.down("down") if self.is_down else await self.status()

    async def close(self) -> None:
        return

    # The test's handles

    async def start(self, generation: str, **fields: Any) -> None:
        """The question gets an instance."""
        await self._append(
            generation, "gen.started", **{"instance": 0, "model": "Fake", "waited_ms": 1, **fields}
        )

    async def say(self, generation: str, text: str) -> None:
        """The model writes ``text``, a token for every character."""
        await self._append(
            generation,
            "gen.delta",
            off=len(self.text(generation)),
            text=text,
            tokens=[ord(char) for char in text],
        )

    async def read(self, generation: str) -> None:
        """The model has read a part of the prompt."""
        await self._append(generation, "gen.progress", phase="prompt", done=1, total=2, cached=0)

    async def notice(self, generation: str, **fields: Any) -> None:
        """The pool remarks something."""
        await self._append(generation, "gen.notice", **fields)

    async def finish(
        self, generation: str, *, reason: str = "stop", seen: int | None = None
    ) -> None:
        """The answer is complete."""
        num_chars = len(self.text(generation))
        await self._append(
            generation,
            "gen.done",
            reason=reason,
            chars=num_chars if seen is None else min(num_chars, seen),
            usage={"prompt": 10, "completion": num_chars, "cached": 4},
            timing={"queue_ms": 1, "prompt_ms": 2, "ttft_ms": 3, "gen_ms": 40, "tok_s": 12.5},
            quality="full",
        )

    async def finish_with(self, generation: str, text: str) -> None:
        """The answer is complete, and this long, whatever the log of this life holds."""
        done = {"reason": "stop", "chars": len(text)}
        await self._append(generation, "gen.done", **done, usage=None, timing=None)

    async def fail(self, generation: str, code: str) -> None:
        """The answer ends with an error."""
        await self._append(generation, "gen.error", code=code, text="-", retryable=True)

    async def die(self, *, come_back: bool = True) -> None:
        """The process is gone, with everything it knew."""
        async with self._news:
            self._life += 1
            self._logs.clear()
            self.is_down = not come_back
            self._news.notify_all()

    def text(self, generation: str) -> str:
        """What the model wrote so far."""
        return "".join(
            frame["text"] for frame in self._logs[generation] if frame["type"] == "gen.delta"
        )

    async def wait_for_request(self, number: int = 1, timeout_s: float = 5) -> PoolRequest:
        """Wait until ``number`` questions were submitted; returns the last one."""
        async with asyncio.timeout(timeout_s):
            while len(self.requests) < number:
                await asyncio.sleep(0.005)
        return self.requests[-1]

    def _check(self) -> None:
        if self.is_down:
            raise PoolUnavailable("the fake pool is down")

    def _is_ended(self, generation: str) -> bool:
        log = self._logs[generation]
        return bool(log) and log[-1]["type"] in ("gen.done", "gen.error")

    async def _append(self, generation: str, kind: str, **fields: Any) -> None:
        async with self._news:
            log = self._logs[generation]
            log.append({**fields, "type": kind, "gen": generation, "seq": len(log) + 1})
            self._news.notify_all()
