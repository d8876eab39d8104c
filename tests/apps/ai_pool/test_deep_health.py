"""The probe that has a token written: shared, kept for a while, and no burden to a full pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import AsyncClient

from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.status import InstanceStatus, PoolState, PoolStatus
from apps.ai_pool import deep_health, services
from apps.ai_pool.deep_health import DeepProbe
from tests.apps.ai_pool.conftest import READY, LivePool, ScriptedPool

pytestmark = pytest.mark.django_db(transaction=True)
WRITING = InstanceStatus(index=0, state="decode", generation="7f3a", num_generated=7)
FULL = replace(READY, num_instances=1, num_running=1, instances=(WRITING,))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep_health, "LOOK_AGAIN_S", 0.001)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


async def test_one_token_is_written_for_all_who_ask(live_pool: LivePool) -> None:
    asking = [asyncio.create_task(AsyncClient().get("/health/deep")) for _ in range(3)]
    engine = live_pool.engine
    await until(lambda: engine.requests)
    assert engine.requests[0].sampling.max_tokens == 1
    engine.finish_all()
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*asking)
    assert [answer.json() for answer in answers] == [{"status": "ok"}] * 3
    assert (await AsyncClient().get("/health/deep")).status_code == 200
    assert (await AsyncClient().post("/health/deep")).status_code == 405
    assert len(engine.requests) == 1


async def test_a_model_that_writes_nothing_is_broken_and_left_alone(
    live_pool: LivePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deep_health, "TIMEOUT_S", 0.3)
    answer = await AsyncClient().get("/health/deep")
    assert answer.status_code == 503 and int(answer["Retry-After"]) > 0
    assert answer.json()["status"] == "broken"
    await until(lambda: live_pool.engine.cancelled)


async def test_an_alarm_ends_sooner_than_good_news(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deep_health, "BAD_FOR_S", 0.0)
    probe = DeepProbe()
    pool.answer = PoolUnavailable("gone")
    found = await probe.check()
    assert (found.is_ok, found.state) == (False, str(PoolState.DOWN))
    pool.answer = FULL
    monkeypatch.setattr(deep_health, "_is_somebody_served", _yes)
    assert (await probe.check()).is_ok
    pool.answer = PoolUnavailable("gone")
    assert (await probe.check()).is_ok, "kept for half a minute"


async def _yes(status: PoolStatus) -> bool:
    return True


@pytest.mark.parametrize(
    ("later", "is_served"),
    [
        (replace(FULL, instances=(replace(WRITING, num_generated=8),)), True),
        (replace(FULL, num_running=0, instances=()), False),
    ],
)
async def test_answers_of_others_count(
    monkeypatch: pytest.MonkeyPatch, later: PoolStatus, is_served: bool
) -> None:
    statuses = [FULL, FULL, later]

    async def status() -> PoolStatus:
        return statuses.pop(0)

    monkeypatch.setattr(services, "pool_status", status)
    assert await deep_health._is_somebody_served(FULL) is is_served
    assert not statuses


async def test_a_full_pool_in_which_nothing_grows_is_broken(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deep_health, "TIMEOUT_S", 0.05)
    pool.answer = FULL
    assert (await DeepProbe().check()).state == "broken"
