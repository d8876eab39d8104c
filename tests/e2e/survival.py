"""Visitors of a supervised pool whose process is killed under them, and what they noticed of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ai_model.engine.request import SamplingParams
from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState
from ai_model.pool.supervisor import Supervisor, SupervisorState
from ai_model.prompt import ChatMessage, Role
from apps.ai_chat.exchange import Exchange, JsonFrame, checksum

READY_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 120.0
QUESTIONS = (
    "Tell me what you can do.",
    "Hello, who are you?",
    "Tell me about the pool.",
    "What happens when many people ask at once?",
    "How do I reset my password?",
    "Do you remember what I say?",
)


@asynccontextmanager
async def supervised_pool(config: PoolConfig) -> AsyncIterator[tuple[Supervisor, PoolClient]]:
    """A pool process that is replaced when it dies, ready to answer, and a client of it."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        directory = Path(name)
        supervisor = Supervisor(config, directory / "pool.sock", directory / "pool.lock")
        client = PoolClient(supervisor.socket_path)
        supervisor.start()
        try:
            await wait_until_ready(client)
            yield supervisor, client
        finally:
            await client.close()
            await asyncio.to_thread(supervisor.stop)


async def wait_until_ready(client: PoolClient, *, unlike: int | None = None) -> int:
    """Wait for a pool process other than ``unlike`` that has its model; returns its id."""
    async with asyncio.timeout(READY_TIMEOUT_S):
        while True:
            try:
                status = await client.status()
                if status.state is PoolState.READY and status.pid != unlike:
                    return status.pid
            except PoolUnavailable:
                pass
            await asyncio.sleep(0.02)


@dataclass
class Reader:
    """One visitor and one answer, over the code that also serves the page.

    Fails on a gap and on text that comes twice.
    """

    client: PoolClient
    question: str
    max_tokens: int
    visitor: str = ""
    """Key of the visitor; empty for somebody new."""
    journal: list[tuple[str, str]] = field(default_factory=list)
    """Which frames came to whom, in order; several readers may share it."""
    text: str = ""
    end: JsonFrame = field(default_factory=dict)
    text_times: list[float] = field(default_factory=list)
    """When text came, in monotonic seconds."""

    def __post_init__(self) -> None:
        self.generation = str(uuid.uuid4())
        self.exchange = Exchange(self.generation, lambda: self.client, patience_s=60.0)

    async def read(self) -> None:
        """Ask and read to the end."""
        request = PoolRequest(
            generation=self.generation,
            conversation=self.generation,
            visitor=self.visitor or self.generation,
            messages=(ChatMessage(Role.USER, self.question),),
            sampling=SamplingParams(
                temperature=0.0, repeat_penalty=1.0, max_tokens=self.max_tokens
            ),
        )
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            async for frame in self.exchange.frames(request):
                self.journal.append((self.visitor, frame["type"]))
                if frame["type"] == "gen.delta":
                    assert frame["off"] == len(self.text), "a gap, or text that came twice"
                    self.text += frame["text"]
                    self.text_times.append(time.monotonic())
                self.end = frame

    async def check(self, num_resumed: int = 0) -> None:
        """The answer is complete, and the pool's own log says the same.

        The pool that ended it must have begun with ``num_resumed`` tokens at least.
        """
        assert self.end["type"] == "gen.done", self.end
        assert self.end["reason"] in ("stop", "length")
        assert self.end["sha256_8"] == checksum(self.text)
        logged, num_first = "", 0
        async for frame in self.client.subscribe(self.generation):
            if frame["type"] == "gen.delta":
                assert frame["off"] == len(logged)
                logged += frame["text"]
                num_first = num_first or len(frame["tokens"])
        assert logged == self.text
        assert num_first >= num_resumed, "it was written again from the start"
        assert (frame["chars"], frame["sha256_8"]) == (len(logged), checksum(logged))

    @property
    def num_tokens(self) -> int:
        """Tokens so far."""
        return len(self.exchange.tokens)

    @property
    def longest_pause_s(self) -> float:
        """Longest time between two pieces of text."""
        times = self.text_times
        return max((late - early for early, late in zip(times, times[1:], strict=False)), default=0)


@dataclass
class Kills:
    """What came of killing a pool process again and again."""

    num_kills: int = 0
    pauses_s: list[float] = field(default_factory=list)
    """Longest pause of every answer that was hit in the middle."""
    num_same: int = 0
    """Of those, how many ended with the undisturbed text."""

    def __str__(self) -> str:
        ordered = sorted(self.pauses_s)
        return (
            f"{self.num_kills} kills, {len(ordered)} answers hit, {self.num_same} as undisturbed; "
            f"pause p50 {ordered[len(ordered) // 2]:.2f} s, longest {ordered[-1]:.2f} s"
        )


async def kill_during_answers(
    supervisor: Supervisor,
    client: PoolClient,
    *,
    num_kills: int,
    seed: int,
    num_tokens: int,
    at_once: int = 2,
) -> Kills:
    """Kill the pool process ``num_kills`` times, each at a random moment of at least one answer.

    A try counts when some answer was shown in part and not in full; every answer of every try must
    be complete all the same.
    """
    random_moments = random.Random(seed)
    undisturbed: dict[str, Reader] = {}
    for question in QUESTIONS:
        reader = undisturbed[question] = Reader(client, question, num_tokens)
        await reader.read()
        await reader.check()
    longest_s = max(reader.text_times[-1] - reader.text_times[0] for reader in undisturbed.values())
    kills = Kills()
    while kills.num_kills < num_kills:
        questions = random_moments.sample(QUESTIONS, at_once)
        readers = [Reader(client, question, num_tokens) for question in questions]
        tasks = [asyncio.create_task(reader.read()) for reader in readers]
        while not any(reader.text for reader in readers):
            await asyncio.sleep(0.005)
        await asyncio.sleep(random_moments.uniform(0.0, 0.9 * longest_s))
        shown = [reader.num_tokens for reader in readers]
        if all(task.done() for task in tasks):
            continue  # too late
        pid = supervisor.pid
        assert pid is not None, "there is no pool process to kill"
        os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*tasks)
        assert supervisor.state is not SupervisorState.OPEN, supervisor.reason
        assert supervisor.num_restarts > kills.num_kills
        is_hit = False
        for reader, num_shown in zip(readers, shown, strict=True):
            if num_shown == reader.num_tokens:
                continue  # it had ended, and its log died with the pool
            await reader.check(num_shown)
            if num_shown > 0:
                is_hit = True
                kills.pauses_s.append(reader.longest_pause_s)
                kills.num_same += reader.text == undisturbed[reader.question].text
        kills.num_kills += is_hit
    return kills
