"""What a watcher is told, when, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import lookout, pool_stream
from apps.ai_pool.lookout import Lookout
from apps.ai_pool.pool_stream import PoolStream, every_of
from apps.ai_pool.watchers import Bye, Watcher
from tests.apps.ai_pool.conftest import READY, ScriptedPool

IDLE = PoolStatus(state=PoolState.READY, num_instances=1)


class Line:
    """A line that holds so much unread."""

    num_bytes = 0


class Reader:
    """Reads a stream, an object at a time."""

    def __init__(self, watcher: Watcher, **options: Any) -> None:
        self.watcher = watcher
        self.stream = PoolStream(Lookout(), watcher, **options)
        self._objects: AsyncIterator[tuple[str, bytes]] = self.stream.objects()

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            name, data = await anext(self._objects)
        found: dict[str, Any] = json.loads(data)
        assert found["type"] == name
        return found

    async def is_over(self) -> bool:
        async with asyncio.timeout(5):
            return await anext(self._objects, None) is None


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred seconds in one."""
    monkeypatch.setattr(pool_stream, "TICK_S", 0.01)
    monkeypatch.setattr(lookout, "FRESH_S", 0.0)


@pytest.fixture
def rights(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the database says of rights, the last for ever; looked up at every tick."""
    answers: list[Any] = [True]

    async def ask(session_key: str) -> bool:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    monkeypatch.setattr(pool_stream, "session_sees_everything", ask)
    monkeypatch.setattr(pool_stream, "RIGHTS_EVERY_S", 0.001)
    return answers


async def test_staff_hear_every_time_that_nothing_happened(
    pool: ScriptedPool, rights: list[Any]
) -> None:
    pool.answer = IDLE
    reader = Reader(Watcher(is_staff=True))
    assert (await reader.next())["num_instances"] == 1
    assert [(await reader.next())["type"] for _ in range(3)] == ["same"] * 3
    pool.answer = replace(IDLE, num_done=1)
    assert (await reader.next())["num_done"] == 1


async def test_staff_hear_all_of_it_again_after_a_while(
    pool: ScriptedPool, rights: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_stream, "REPEAT_S", 0.0)
    pool.answer = IDLE
    reader = Reader(Watcher(is_staff=True))
    assert [(await reader.next())["type"] for _ in range(3)] == ["status"] * 3


async def test_others_hear_only_what_changed(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(Watcher())
    first = await reader.next()
    assert first["in_use"] == 2 and "model" not in first
    waiting = asyncio.create_task(reader.next())
    while pool.num_asked < 4:
        await asyncio.sleep(0.005)
    assert not waiting.done()
    pool.answer = replace(READY, num_waiting=0)
    assert (await waiting)["waiting"] == 0
    monkeypatch.setattr(pool_stream, "REPEAT_S", 0.0)
    assert (await reader.next())["type"] == "same"


async def test_a_pool_that_dies_and_comes_back_is_told(pool: ScriptedPool) -> None:
    reader = Reader(Watcher())
    states = [(await reader.next())["state"]]
    for answer in (PoolUnavailable("gone"), PoolStatus(state=PoolState.LOADING), READY):
        pool.answer = answer
        states.append((await reader.next())["state"])
    assert states == ["ready", "down", "loading", "ready"]


@pytest.mark.parametrize("bye", [Bye.CLOSING, Bye.SIGNED_OUT])
async def test_an_end_is_told_at_once(pool: ScriptedPool, bye: Bye) -> None:
    reader = Reader(Watcher(), every=20)
    await reader.next()
    pending = asyncio.create_task(reader.next())
    await asyncio.sleep(0.01)
    reader.watcher.leave(bye)
    assert await pending == {"type": "bye", "why": str(bye)}
    assert await reader.is_over()


async def test_who_left_while_the_pool_was_asked_is_told_nothing_of_it(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher(is_staff=True)
    status = pool.status

    async def leave_meanwhile(*, timeout_s: float) -> Any:
        watcher.leave(Bye.SIGNED_OUT)
        return await status(timeout_s=timeout_s)

    monkeypatch.setattr(pool, "status", leave_meanwhile)
    assert (await Reader(watcher).next())["type"] == "bye"


async def test_rights_that_are_taken_away_end_it(pool: ScriptedPool, rights: list[Any]) -> None:
    rights[:] = [True, True, False]
    reader = Reader(Watcher(is_staff=True))
    told = [await reader.next()]
    while told[-1]["type"] != "bye":
        told.append(await reader.next())
    assert told[-1]["why"] == "signed_out" and len(told) <= 4
    assert await reader.is_over()


async def test_a_database_that_does_not_answer_is_forgiven_for_a_while(
    pool: ScriptedPool, rights: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rights[:] = [OSError("away")]
    reader = Reader(Watcher(is_staff=True))
    for _ in range(3):
        assert (await reader.next())["type"] == "status"
    monkeypatch.setattr(pool_stream, "RIGHTS_HOLD_S", 0.0)
    assert (await reader.next())["why"] == "signed_out"


async def test_who_reads_slowly_gets_fewer_looks_and_no_older_ones(
    pool: ScriptedPool, rights: list[Any]
) -> None:
    line = Line()
    reader = Reader(Watcher(is_staff=True), backlog=line)
    await reader.next()
    line.num_bytes = pool_stream.MAX_UNREAD_BYTES + 1
    pending = asyncio.create_task(reader.next())
    num_asked = pool.num_asked
    await asyncio.sleep(0.1)
    assert not pending.done() and pool.num_asked == num_asked, "nobody to tell, nobody is asked"
    pool.answer = replace(READY, num_done=77)
    line.num_bytes = 0
    assert (await pending)["num_done"] == 77


async def test_who_reads_nothing_for_long_is_given_up(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_stream, "MAX_SLOW_S", 0.02)
    line = Line()
    line.num_bytes = pool_stream.MAX_UNREAD_BYTES + 1
    reader = Reader(Watcher(), backlog=line)
    assert await reader.next() == {"type": "bye", "why": "slow"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 1), ("1", 1), ("7", 7), ("20", 20), ("99", 20), ("0", 1), ("-3", 1), ("x", 1), ("٣", 1)],
)
def test_the_interval_has_bounds(text: str, seconds: int) -> None:
    assert every_of(text) == seconds
