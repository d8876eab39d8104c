"""Followers of a log see every durable frame once and in order, however slow they are."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.errors import UnknownGeneration
from ai_model.pool.event_log import EventLog
from ai_model.pool.frames import Frame
from tests.ai_model.pool.builders import durable, types_of


async def collect(log: EventLog, after: int = 0) -> list[Frame]:
    """Follow a log to its end."""
    return [frame async for frame in log.follow(after)]


@given(
    steps=st.lists(st.sampled_from(["durable", "ephemeral", "yield"]), max_size=40),
    starts=st.lists(st.integers(0, 40), max_size=4),
)
def test_followers_see_everything(steps: list[str], starts: list[int]) -> None:
    """Whenever they join, and however appends and pauses are mixed."""

    async def run() -> None:
        log = EventLog("g")
        followers: list[tuple[int, asyncio.Task[list[Frame]]]] = []
        for number, step in enumerate(steps):
            if number in starts:
                after = log.last_seq // 2
                followers.append((after, asyncio.create_task(collect(log, after))))
            if step == "durable":
                log.append("gen.delta", {"text": "x"})
            elif step == "ephemeral":
                log.publish("gen.queue", {"position": number})
            else:
                await asyncio.sleep(0)
        log.append("gen.done", {}, is_terminal=True)
        for after, task in followers:
            seen = durable(await task)
            assert [frame["seq"] for frame in seen] == list(range(after + 1, log.last_seq + 1))
            assert seen[-1:] == log.replay()[-1:]

    asyncio.run(run())


async def test_the_newest_ephemeral_frame_is_shown_once() -> None:
    """Old ones are dropped, and none is shown behind a durable frame that made it old news."""
    log = EventLog("g")
    log.append("gen.created", {})
    for position in (3, 2, 1):
        log.publish("gen.queue", {"position": position})
    task = asyncio.create_task(collect(log))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    log.publish("gen.queue", {"position": 0})
    log.append("gen.started", {})
    log.append("gen.done", {}, is_terminal=True)
    frames = await task
    assert types_of(frames) == ["created", "queue", "started", "done"]
    assert frames[1]["position"] == 1


async def test_nothing_follows_the_end() -> None:
    """A terminal frame closes the log."""
    log = EventLog("g")
    log.append("gen.done", {}, is_terminal=True)
    log.publish("gen.queue", {})
    with pytest.raises(RuntimeError):
        log.append("gen.delta", {})
    assert types_of(await collect(log)) == ["done"]
    assert await collect(log, after=1) == []


async def test_a_number_of_another_life_is_refused() -> None:
    """Frames are never skipped in silence."""
    log = EventLog("g")
    log.append("gen.created", {})
    with pytest.raises(UnknownGeneration):
        await collect(log, after=2)


async def test_fields_cannot_forge_the_envelope() -> None:
    """Type, generation and number are the log's own."""
    log = EventLog("g")
    frame = log.append("gen.created", {"type": "x", "gen": "y", "seq": 9, "message": "m"})
    assert frame == {"type": "gen.created", "gen": "g", "seq": 1, "message": "m"}
