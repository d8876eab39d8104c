"""A store that is away is noticed once, and never stops the event loop."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from django.core.cache import caches
from django.test import override_settings

from apps.ai_pool.limits.allowance import Allowance
from apps.ai_pool.limits.refusals import MESSAGES
from apps.ai_pool.limits.store import REST_S, Store, StoreAway
from backend.cache import TIMEOUT_S, cache
from tests.redis_server import RedisServer, redis_server


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_after_a_failure_it_gets_a_rest() -> None:
    clock, asked = Clock(), []
    store = Store(clock)

    def fail(_: object) -> None:
        asked.append(clock.now)
        raise ConnectionError("no route to a password")

    for _ in range(3):
        with pytest.raises(StoreAway) as caught:
            store.run(fail)
        assert 0 < caught.value.retry_after_s <= REST_S
        assert "password" not in repr(caught.value) and caught.value.__cause__ is None
    assert len(asked) == 1, "waiting for it each time would stall everybody"
    clock.now += REST_S
    assert store.run(lambda _: 5) == 5


def test_what_is_no_failure_of_the_store_goes_through() -> None:
    def fail(_: object) -> None:
        raise ValueError("mine")

    store = Store(Clock())
    with pytest.raises(ValueError, match="mine"):
        store.run(fail)
    assert store.run(lambda _: 5) == 5


@pytest.mark.usefixtures("counted")
async def test_only_another_machine_is_asked_in_a_thread(counted: str) -> None:
    store, here = Store(), threading.current_thread()
    asked_in = await store.arun(lambda _: threading.current_thread())
    assert (asked_in is not here) == bool(counted)


async def test_a_store_that_hangs_holds_up_nobody_else(fresh_store: Store) -> None:
    few = Allowance(MESSAGES, 5, 60)
    with redis_server() as server, override_settings(CACHES={"default": cache(server.url)}):
        await few.atake("a")
        server.freeze()
        asking = asyncio.create_task(few.atake("a"))
        pauses = []
        while not asking.done():
            began = time.monotonic()
            await asyncio.sleep(0.01)
            pauses.append(time.monotonic() - began)
        with pytest.raises(StoreAway):
            await asking
        assert len(pauses) > 10 and max(pauses) < TIMEOUT_S / 2, "the loop went on all the time"
        server.thaw()


@pytest.mark.parametrize("trouble", ["gone", "read-only", "full"])
def test_every_kind_of_trouble_is_the_store_being_away(trouble: str, fresh_store: Store) -> None:
    few = Allowance(MESSAGES, 5, 60)
    with redis_server() as server, override_settings(CACHES={"default": cache(server.url)}):
        taken = few.take("a")
        make_trouble(server, trouble)
        with pytest.raises(StoreAway):
            few.take("b")
        few.give_back(taken, 1)


def make_trouble(server: RedisServer, trouble: str) -> None:
    client = caches["default"]._cache.get_client()  # type: ignore[attr-defined]
    if trouble == "gone":
        server.stop()
    elif trouble == "read-only":
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    else:
        client.config_set("maxmemory", "1")


def test_it_is_asked_again_when_it_is_back() -> None:
    clock = Clock()
    store = Store(clock)
    with redis_server() as server, override_settings(CACHES={"default": cache(server.url)}):
        server.stop()
        with pytest.raises(StoreAway):
            store.run(lambda kept: kept.get("x"))
        server.start()
        clock.now += REST_S
        assert store.run(lambda kept: kept.get("x")) is None
