"""Many who come at once ask the pool once; nobody is told of a pool that has come back since."""

from __future__ import annotations

import asyncio

import pytest

from ai_model.pool.status import PoolState, PoolStatus
from apps.api.openai import recent_status as module
from apps.api.openai.recent_status import look_ahead, recent_status


class Pool:
    """Counts how often it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = PoolState.READY
        self.num_asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        monkeypatch.setattr(module.pool, "pool_status", self.pool_status)

    async def pool_status(self) -> PoolStatus:
        self.num_asked += 1
        await self.may_answer.wait()
        return PoolStatus(state=self.state)


async def test_a_crowd_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(monkeypatch)
    pool.may_answer.clear()
    asking = [asyncio.create_task(recent_status()) for _ in range(50)]
    await asyncio.sleep(0)
    # Who began it goes away, and nobody else notices.
    asking[0].cancel()
    await asyncio.sleep(0)
    pool.may_answer.set()
    found = await asyncio.gather(*asking[1:])
    assert pool.num_asked == 1 and {status.state for status in found} == {PoolState.READY}
    await recent_status()
    assert pool.num_asked == 1


async def test_an_old_one_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    pool = Pool(monkeypatch)
    await recent_status()
    await recent_status()
    assert pool.num_asked == 2


async def test_a_pool_that_does_not_answer_is_asked_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = Pool(monkeypatch)
    pool.state = PoolState.LOADING
    assert (await recent_status()).state is PoolState.LOADING
    pool.state = PoolState.READY
    assert (await recent_status()).state is PoolState.READY
    assert pool.num_asked == 2


async def test_who_looks_ahead_does_not_wait_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(monkeypatch)
    look_ahead()
    await asyncio.sleep(0)
    assert pool.num_asked == 1
    assert (await recent_status()).state is PoolState.READY and pool.num_asked == 1
