"""The pulse of a pool process: it tells when its engine hangs with work in hand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ai_model.pool.child import Child
from ai_model.pool.client import PoolClient
from ai_model.pool.launch import Launch, Pulse, Word, understand
from tests.ai_model.pool.builders import make_config, make_request, until
from tests.ai_model.pool.fake_engine import FakeEngine, factory


class Line:
    """The pipe to the supervisor."""

    def __init__(self) -> None:
        self.said: list[tuple[Word, str]] = []

    def report(self, line: bytes) -> None:
        """Hear a word."""
        word = understand(line)
        assert word is not None, line
        self.said.append(word)

    @property
    def words(self) -> list[Word]:
        """All words but the pulse."""
        return [word for word, _ in self.said if word is not Word.ALIVE]

    @property
    def pulse(self) -> Pulse:
        """The last pulse."""
        return [Pulse.from_sentence(text) for word, text in self.said if word is Word.ALIVE][-1]

    @property
    def num_pulses(self) -> int:
        """How often it was felt."""
        return sum(word is Word.ALIVE for word, _ in self.said)


@contextlib.asynccontextmanager
async def running_child(tmp_path: Path, line: Line) -> AsyncIterator[FakeEngine]:
    """A child on this loop with a fake engine; it is ended by a signal and must return 0."""
    make_engine = factory()
    reading, writing = os.pipe()
    launch = Launch(make_config(stall_timeout_s=0.5), tmp_path / "pool.sock")
    child = Child(launch, lifeline=reading, report=line.report, engine_factory=make_engine)
    task = asyncio.create_task(child.run())
    try:
        await until(lambda: Word.LISTENING in line.words and make_engine.is_made)
        yield make_engine.engine
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(task, 10) == 0
    finally:
        task.cancel()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@pytest.fixture(autouse=True)
def no_lifeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody watches for the parent's end: that would end this process."""
    monkeypatch.setattr(Child, "_watch_parent", lambda self, loop: None)


async def test_an_engine_that_hangs_with_work_in_hand_is_told(tmp_path: Path) -> None:
    """An idle one may be silent; one that works again is no longer complained about."""
    line = Line()
    async with running_child(tmp_path, line) as engine:
        engine.heartbeat_age_s = 1000.0
        num_pulses = line.num_pulses
        await until(lambda: line.num_pulses > num_pulses + 5)
        assert line.pulse == Pulse(0.0, 0)
        client = PoolClient(tmp_path / "pool.sock")
        await client.submit(make_request())
        await until(lambda: line.pulse.silent_s >= 0.5)
        assert line.pulse.num_running == 1
        engine.heartbeat_age_s = 0.0
        await until(lambda: line.pulse.silent_s == 0.0)
        engine.finish_all()
        await until(lambda: Word.ANSWERED in line.words)
        await client.close()
    assert line.words == [Word.LISTENING, Word.ANSWERED]


async def test_the_pool_leaves_a_hanging_engine_to_the_supervisor(tmp_path: Path) -> None:
    """An answer the pool gives up is lost, and one in a replaced process goes on."""
    line = Line()
    async with running_child(tmp_path, line) as engine:
        client = PoolClient(tmp_path / "pool.sock")
        await client.submit(make_request())
        engine.heartbeat_age_s = 1000.0
        await until(lambda: line.pulse.silent_s >= 1.0)
        assert engine.cancelled == []
        engine.finish_all()
        await client.close()
