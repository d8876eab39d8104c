"""One request takes its share of a key's limits and gives back what it did not need."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.core.cache import caches

from apps.ai_pool.limits import store
from apps.ai_pool.limits.allowance import OverLimit
from apps.api.models import ApiKey
from apps.api.spending import Spending, TooManyRunning

pytestmark = pytest.mark.stores


@pytest.fixture(autouse=True)
def empty() -> None:
    caches["default"].clear()


def key(**limits: int) -> ApiKey:
    usual = {"requests_per_minute": 1000, "tokens_per_hour": 1000, "max_running": 2}
    return ApiKey(pk=1, name="tests", **(usual | limits))


def test_as_many_at_once_as_it_may_have() -> None:
    first, second = Spending.begin(key(), 10), Spending.begin(key(), 10)
    with pytest.raises(TooManyRunning):
        Spending.begin(key(), 10)
    first.settle(0)
    first.settle(0)
    third = Spending.begin(key(), 10)
    with pytest.raises(TooManyRunning):
        Spending.begin(key(), 10)
    second.settle(0)
    third.settle(0)


def test_tokens_that_were_not_written_come_back() -> None:
    spending = Spending.begin(key(), 900)
    with pytest.raises(OverLimit):
        Spending.begin(key(), 900)
    spending.settle(50)
    again = Spending.begin(key(), 900)
    again.settle(900)
    assert again.headers()["x-ratelimit-remaining-tokens"] == "50"
    with pytest.raises(OverLimit):
        Spending.begin(key(), 100)
    # Whoever is refused holds no place either.
    for spending in [Spending.begin(key(), 1), Spending.begin(key(), 1)]:
        spending.settle(1)


def test_who_is_refused_for_tokens_has_not_used_a_request() -> None:
    few = key(requests_per_minute=1, tokens_per_hour=5)
    with pytest.raises(OverLimit):
        Spending.begin(few, 10)
    Spending.begin(few, 5).settle(5)


def test_without_limits_nothing_is_told() -> None:
    free = key(requests_per_minute=0, tokens_per_hour=0, max_running=0)
    spending = Spending.begin(free, 10**9)
    assert spending.headers() == {}
    spending.settle(5)


@pytest.fixture
def store_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a Redis: nothing of it is asked on the event loop."""
    monkeypatch.setattr(store, "LocMemCache", Redis)


class Redis:
    """No cache of this process is one."""


async def until_free(few: ApiKey) -> Spending:
    """A share of a key with one place, as soon as that is free."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await Spending.begin_aside(few, 1)
            except TooManyRunning:
                await asyncio.sleep(0.01)


class Brake:
    """Makes a method of Spending wait in its thread until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.is_reached, self.may_go_on = threading.Event(), threading.Event()
        original = getattr(Spending, name)

        def slowly(*arguments: Any) -> Any:
            assert threading.current_thread() is not threading.main_thread()
            self.is_reached.set()
            assert self.may_go_on.wait(10)
            return original(*arguments)

        monkeypatch.setattr(Spending, name, slowly)


async def test_the_cache_never_holds_up_the_loop(
    store_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes: with another machine's cache every call is a wait."""
    brake = Brake(monkeypatch, "_give_back")
    few = key(max_running=1)
    settling = asyncio.create_task((await Spending.begin_aside(few, 5)).settle_aside(5))
    await asyncio.to_thread(brake.is_reached.wait, 10)
    with pytest.raises(TooManyRunning):
        await Spending.begin_aside(few, 5)
    assert not settling.done()
    brake.may_go_on.set()
    await settling
    await (await Spending.begin_aside(few, 5)).settle_aside(5)


async def test_who_goes_away_while_settling_gives_back_all_the_same(
    store_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    brake = Brake(monkeypatch, "_give_back")
    few = key(max_running=1)
    settling = asyncio.create_task((await Spending.begin_aside(few, 5)).settle_aside(5))
    await asyncio.to_thread(brake.is_reached.wait, 10)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    brake.may_go_on.set()
    await (await until_free(few)).settle_aside(0)


async def test_a_share_taken_for_nobody_is_given_back(
    store_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    brake = Brake(monkeypatch, "_take")
    few = key(max_running=1)
    asking = asyncio.create_task(Spending.begin_aside(few, 5))
    await asyncio.to_thread(brake.is_reached.wait, 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    brake.may_go_on.set()
    await (await until_free(few)).settle_aside(0)


async def test_a_store_that_is_away_stops_nobody_who_has_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = key(max_running=1, requests_per_minute=1)
    taken = await Spending.begin_aside(few, 5)

    broken = store.Store()
    monkeypatch.setattr("apps.api.spending.STORE", broken)
    monkeypatch.setattr(broken, "run", away)
    uncounted = await Spending.begin_aside(few, 5)
    assert uncounted.headers() == {} and Spending.begin(few, 5).headers() == {}
    await uncounted.settle_aside(1)
    await taken.settle_aside(1)
    taken.settle(1)


def away(ask: Any) -> Any:
    """A store that rests after a failure."""
    raise store.StoreAway(5.0)
