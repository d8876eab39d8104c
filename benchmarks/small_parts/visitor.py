"""A visitor of the small server: asks, listens, and counts what came."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection

from benchmarks.chat_line import new_cookie, open_line
from benchmarks.words import words

ANSWER_TIMEOUT_S = 600.0
TURNS = (1, 6)
"""Questions to a conversation."""
QUESTION_WORDS = (6, 30)
MAX_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One answer, or a refusal."""

    ttft_s: float = 0.0
    total_s: float = 0.0
    num_tokens: int = 0
    num_prompt: int = 0
    num_cached: int = 0
    quality: str = ""
    reason: str = ""
    refusal: str = ""
    """The code of the error; empty for an answer."""
    retry_after_s: float = 0.0
    ended_at: float = 0.0
    """By ``time.perf_counter``."""
    arrivals: tuple[tuple[float, int], ...] = ()
    """When text came, and how many characters of it."""


class Visitor:
    """One person with one line. Belongs to one event loop."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._seeds = iter(range(number * 1_000_000, (number + 1) * 1_000_000))
        self._choose = random.Random(number)
        self._cookie = ""
        self._conversation = ""

    def move(self, port: int) -> None:
        """Go on at another port, with the same conversation."""
        self._port = port

    def forget(self) -> None:
        """Begin a new conversation with the next question."""
        self._conversation = ""

    async def ask(self, num_words: int) -> Heard:
        """Ask one question; the line is opened for it. Raises OSError and TimeoutError."""
        if not self._cookie:
            self._cookie = await asyncio.to_thread(new_cookie, self._port)
        async with asyncio.timeout(ANSWER_TIMEOUT_S), open_line(self._port, self._cookie) as line:
            return await self._ask(line, num_words)

    async def chat(self) -> Heard:
        """Ask as people do: a pause, questions of all lengths, now and then a new conversation."""
        await asyncio.sleep(self._choose.random() * MAX_PAUSE_S)
        if self._choose.random() < 1 / TURNS[1]:
            self.forget()
        heard = await self.ask(self._choose.randint(*QUESTION_WORDS))
        if heard.refusal:
            await asyncio.sleep(heard.retry_after_s or 0.5)
        return heard

    async def _ask(self, line: ClientConnection, num_words: int) -> Heard:
        generation = str(uuid.uuid4())
        question = {
            "type": "message.send",
            "cid": str(uuid.uuid4()),
            "gen": generation,
            "text": words(num_words, next(self._seeds)),
        }
        if self._conversation:
            question["conversation"] = self._conversation
        began = time.perf_counter()
        await line.send(json.dumps(question))
        started: dict[str, object] = {}
        arrivals: list[tuple[float, int]] = []
        async for data in line:
            frame = json.loads(data)
            if frame["type"] == "error" or (
                frame.get("gen") == generation and frame["type"] == "gen.error"
            ):
                return Heard(
                    refusal=str(frame.get("code", "?")),
                    retry_after_s=float(frame.get("retry_after_s") or 0),
                    ended_at=time.perf_counter(),
                )
            if frame.get("gen") != generation:
                continue
            if frame["type"] == "message.ack":
                self._conversation = frame["conversation"]
            elif frame["type"] == "gen.started":
                started = frame
            elif frame["type"] == "gen.delta":
                arrivals.append((time.perf_counter(), len(frame["text"])))
            elif frame["type"] == "gen.done":
                return _heard(frame, started, began, arrivals)
        raise ConnectionResetError("the line was closed before the answer was whole")


def _heard(
    done: dict[str, object],
    started: dict[str, object],
    began: float,
    arrivals: list[tuple[float, int]],
) -> Heard:
    now = time.perf_counter()
    usage = done.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Heard(
        ttft_s=arrivals[0][0] - began if arrivals else 0.0,
        total_s=now - began,
        num_tokens=int(counts.get("completion", 0)),
        num_prompt=int(counts.get("prompt", 0)),
        num_cached=int(counts.get("cached", 0)),
        quality=str(done.get("quality") or started.get("quality") or "full"),
        reason=str(done.get("reason", "")),
        ended_at=now,
        arrivals=tuple(arrivals),
    )
