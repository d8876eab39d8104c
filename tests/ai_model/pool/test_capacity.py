"""The size of a pool: between hot and limit, by demand, by the hour, and by what memory allows."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any

import pytest

from ai_model.pool import rounds
from ai_model.pool.capacity import SHORTAGE_S, Capacity
from ai_model.pool.elastic import SHRINK_AFTER_S
from ai_model.pool.pool import Pool
from tests.ai_model.pool.builders import Clock, make_config, make_request, running_pool, until
from tests.ai_model.pool.fake_engine import FakeEngine

NOON = datetime(2026, 3, 2, 12)
NIGHT = datetime(2026, 3, 2, 23)


class LocalTime:
    """A time of day that is set by hand."""

    def __init__(self) -> None:
        self.now = NIGHT

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


def make(local_time: LocalTime | None = None, **values: Any) -> tuple[Capacity, list[int]]:
    """Return a capacity and the sizes it asks the engine for."""
    sizes: list[int] = []
    config = make_config(**{"max_instances": 4, "hot_instances": 1} | values)
    return Capacity(config, resize=sizes.append, local_time=local_time or LocalTime()), sizes


def test_it_tells_the_engine_only_what_changes() -> None:
    """And what the size is, it knows from the beginning."""
    capacity, sizes = make()
    assert (capacity.size, capacity.reachable) == (1, 4)
    for now in range(5):
        capacity.fit(num_running=1, num_waiting=2, now=float(now))
    assert (capacity.size, sizes) == (3, [3])
    assert make(hot_instances=0)[0].size == 4


def test_peak_hours() -> None:
    """More instances are there before anybody waits, and go again afterwards."""
    clock = LocalTime()
    capacity, sizes = make(clock, peak_hours="Mon 08:00-18:00=3")
    capacity.fit(num_running=0, num_waiting=0, now=0.0)
    clock.now = NOON
    capacity.fit(num_running=0, num_waiting=0, now=5.0)
    assert capacity.hot == 3
    clock.now = NIGHT
    capacity.fit(num_running=0, num_waiting=0, now=10.0)
    assert sizes == [3, 1]
    clock.now = NOON
    assert make(clock, peak_hours="Mon 08:00-18:00=3")[0].size == 3
    assert make(clock, peak_hours="Mon 08:00-18:00=9")[0].size == 4
    assert make(clock, peak_hours="Mon 08:00-18:00=1", hot_instances=2)[0].size == 2


def test_peak_hours_that_cannot_be_read_are_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """With a sentence: the process that checks settings has told already."""
    capacity, _ = make(peak_hours="whenever")
    assert capacity.size == 1
    assert "Peak hours are ignored. Peak hours look like" in caplog.text


def test_memory_that_does_not_suffice(caplog: pytest.LogCaptureFixture) -> None:
    """The pool stays as large as it is and tries again after a while."""
    caplog.set_level(logging.WARNING)
    capacity, sizes = make()
    capacity.fit(num_running=1, num_waiting=3, now=0.0)
    capacity.note_refusal(num_real=2, now=1.0)
    capacity.fit(num_running=2, num_waiting=2, now=2.0)
    assert (capacity.size, capacity.reachable) == (2, 2)
    assert "did not suffice for 4 instances; the pool stays at 2" in caplog.text
    capacity.fit(num_running=2, num_waiting=2, now=1.0 + SHORTAGE_S)
    assert (capacity.size, sizes) == (4, [4, 2, 4])
    capacity.note_refusal(num_real=2, now=100.0)
    capacity.set_limit(3)
    assert capacity.reachable == 3, "an operator's word is tried at once"
    capacity.set_limit(4)
    capacity.note_refusal(num_real=4, now=200.0)
    assert capacity.reachable == 4, "it is busy, not short of memory"


# In a pool


async def answered(pool: Pool, engine: FakeEngine, number: int) -> None:
    """Let the engine answer until so many are done and no instance is taken."""

    def is_done() -> bool:
        engine.finish_all()
        return pool.status().num_done == number and pool.num_running == 0

    await until(is_done)


async def test_a_pool_grows_with_its_line_and_shrinks_when_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits while an instance can be made."""
    monkeypatch.setattr(rounds, "SIZE_S", 0.01)
    clock = Clock()
    config = make_config(max_instances=3, hot_instances=1)
    async with running_pool(config, clock=clock) as (pool, engine):
        assert (engine.config.num_instances, pool.num_instances, pool.num_free) == (1, 1, 3)
        for _ in range(5):
            pool.submit(make_request())
        await until(lambda: len(engine.running_ids) == 3)
        assert len(pool.line) == 2
        assert (engine.sizes[-1], pool.num_instances) == (3, 3)
        await answered(pool, engine, 5)
        clock.advance(SHRINK_AFTER_S / 2)
        await asyncio.sleep(0.05)
        assert pool.num_instances == 3
        clock.advance(SHRINK_AFTER_S / 2 + 1)
        await until(lambda: pool.num_instances == 1)
        assert engine.num_instances == 1


async def test_a_pool_that_cannot_grow_goes_on_with_what_it_has() -> None:
    """Those who cannot be served yet keep their place; no instance is counted that is not there."""
    config = make_config(max_instances=3, hot_instances=1)
    async with running_pool(config) as (pool, engine):
        engine.max_size = 2
        requests = [make_request() for _ in range(4)]
        for request in requests:
            pool.submit(request)
        await until(lambda: pool.num_instances == 2 and len(engine.running_ids) == 2)
        assert [one.generation for one in pool.controls.list_waiting()] == [
            request.generation for request in requests[2:]
        ]
        assert pool.num_free == 0
        await answered(pool, engine, 4)
