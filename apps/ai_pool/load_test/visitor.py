"""A simulated visitor: opens a line, asks, waits for the whole answer, pauses, asks again."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apps.ai_pool.capacity_plan.visits import pause_s
from apps.ai_pool.capacity_plan.workload import Workload
from apps.ai_pool.load_test.gauge import Gauge, Phase
from apps.ai_pool.load_test.socket_line import LineLost, SocketLine
from apps.ai_pool.load_test.words import question_text

SUBPROTOCOL = "chat.v1"
PING_EVERY_S = 20.0
WELCOME_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 900.0
MAX_RETRIES = 20
MAX_LINES = 5
"""A visitor whose line is lost opens another one, so often at most."""
DEFAULT_RETRY_S = 2.0
MAX_RETRY_S = 120.0
REFUSALS = frozenset(
    {"queue_full", "rate_limited", "inflight_limit", "paused", "memory_pressure", "model_loading"}
)
FATAL = frozenset({"unauthorised", "origin_not_allowed", "unknown_site", "unsupported_version"})


class WrongSite(Exception):
    """The site does not let the test in; the text is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One whole answer; seconds count from the question."""

    wait_s: float
    ttft_s: float
    total_s: float
    num_read: int
    """Tokens of the prompt that had to be read."""
    num_written: int


@dataclass
class Visitor:
    """One of them. ``done`` is called after each of its turns."""

    url: str
    key_header: dict[str, str]
    number: int
    workload: Workload
    gauge: Gauge
    done: Callable[[], None]
    token: str = ""
    answers: list[Answered] = field(default_factory=list)
    num_refused: int = 0
    num_failed: int = 0
    conversation: str | None = None
    _phase: Phase = Phase.AWAY
    _line: SocketLine | None = None
    _num_lines: int = 0

    async def visit(self) -> None:
        """Come, ask all questions, and go. Raises WrongSite and LineLost when there is no site."""
        choose = random.Random(self.workload.seed * 100_003 + self.number)
        await asyncio.sleep(choose.random() * self.workload.think_s)
        try:
            await self._open()
            for turn in range(self.workload.num_turns):
                if turn:
                    await self._pause(pause_s(choose, self.workload.think_s))
                await self._turn(question_text(self.workload, self.number, turn))
                self.done()
        finally:
            self._enter(Phase.AWAY)
            if self._line is not None:
                await self._line.close()

    async def _turn(self, text: str) -> None:
        """Ask until there is an answer, or the question is given up."""
        for _ in range(MAX_RETRIES + 1):
            try:
                retry_s = await self._ask(text)
            except (LineLost, TimeoutError):
                self.num_failed += 1
                self._enter(Phase.AWAY)
                await self._open()
                return
            finally:
                self._enter(Phase.AWAY)
            if retry_s is None:
                return
            self.num_refused += 1
            await self._pause(retry_s)
        self.num_failed += 1

    async def _open(self) -> None:
        self._num_lines += 1
        if self._line is not None:
            await self._line.close()
        if self._num_lines > MAX_LINES:
            raise LineLost("The server closed the line again and again.")
        hello: dict[str, Any] = {"type": "hello", "v": 1}
        try:
            self._line = await SocketLine.open(
                self.url, subprotocol=SUBPROTOCOL, headers=self.key_header
            )
            await self._line.send(hello | ({"token": self.token} if self.token else {}))
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                frame = await self._line.receive()
        except TimeoutError:
            raise LineLost("The server did not say welcome in time.") from None
        if frame.get("type") != "welcome":
            code = str(frame.get("code", "no welcome"))
            if code in FATAL:
                raise WrongSite(f"The site does not let the test in ({code}).")
            raise LineLost(f"The server did not say welcome ({code}).")
        self.token = str(frame.get("token", self.token))

    async def _ask(self, text: str) -> float | None:
        """Ask once; returns None at the end, or after how many seconds to ask again."""
        assert self._line is not None
        generation = str(uuid.uuid4())
        frame = {"type": "message.send", "cid": str(uuid.uuid4()), "gen": generation, "text": text}
        if self.conversation:
            frame["conversation"] = self.conversation
        asked = time.monotonic()
        self._enter(Phase.WAITING)
        await self._line.send(frame)
        refs = {generation, frame["cid"]}
        started = first = 0.0
        num_read = 0
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while True:
                frame = await self._receive()
                kind, now = frame.get("type"), time.monotonic()
                if kind == "error" and frame.get("ref") in refs:
                    return self._refused(frame)
                if kind == "bye":
                    raise LineLost("The server is going down.")
                if frame.get("gen") != generation:
                    continue
                if kind == "message.ack":
                    self.conversation = str(frame["conversation"])
                elif kind == "gen.started":
                    started = started or now
                    num_read = int(frame["prompt_tokens"]) - int(frame["cached_tokens"])
                    self._enter(Phase.ANSWERED)
                elif kind == "gen.delta":
                    first = first or now
                elif kind == "gen.error":
                    return self._refused(frame)
                elif kind == "gen.done":
                    usage = frame.get("usage") or {}
                    self.answers.append(
                        Answered(
                            wait_s=(started or now) - asked,
                            ttft_s=(first or now) - asked,
                            total_s=now - asked,
                            num_read=num_read,
                            num_written=int(usage.get("completion") or 0),
                        )
                    )
                    return None

    def _refused(self, frame: dict[str, Any]) -> float | None:
        """Return when to ask again; a failure is counted and not asked again."""
        if frame.get("code") in REFUSALS:
            try:
                retry_s = float(frame.get("retry_after_s") or DEFAULT_RETRY_S)
            except (TypeError, ValueError):
                retry_s = DEFAULT_RETRY_S
            return min(MAX_RETRY_S, max(0.1, retry_s))
        self.num_failed += 1
        return None

    async def _receive(self) -> dict[str, Any]:
        """Return the next frame; says ping while nothing comes."""
        assert self._line is not None
        while True:
            try:
                async with asyncio.timeout(PING_EVERY_S):
                    return await self._line.receive()
            except TimeoutError:
                await self._line.send({"type": "ping", "n": 1})

    async def _pause(self, seconds: float) -> None:
        """Do nothing but read what comes and stay on the line."""
        assert self._line is not None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._receive()
        except TimeoutError:
            return
        except LineLost:
            await self._open()

    def _enter(self, phase: Phase) -> None:
        if phase is not self._phase:
            self.gauge.move(self._phase, phase)
            self._phase = phase
