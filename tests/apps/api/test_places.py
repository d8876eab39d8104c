"""Never more places than there are, whoever comes at once, and none held by the dead for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import caches

from apps.ai_pool.limits.refusals import KEY_RUNNING
from apps.api.places import NoPlace, Place, Places


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    caches["default"].clear()
    yield
    caches["default"].clear()


def take(places: Places, who: str) -> Place:
    return places.take_from(caches["default"], who)


def can_take(places: Places, who: str) -> bool:
    try:
        take(places, who)
    except NoPlace:
        return False
    return True


def test_as_many_as_there_are_and_for_everybody_apart() -> None:
    places = Places(KEY_RUNNING, 2, 60)
    first, _ = take(places, "a"), take(places, "a")
    assert not can_take(places, "a") and can_take(places, "b")
    first.leave(caches["default"])
    first.leave(caches["default"])
    assert can_take(places, "a") and not can_take(places, "a")


def test_no_limit_takes_nothing() -> None:
    places = Places(KEY_RUNNING, 0, 60)
    assert take(places, "a") == Place()
    Place().leave(caches["default"])


def test_a_place_that_nobody_gives_back_ends() -> None:
    """And who comes back after that does not take it from the next one."""
    short, places = Places(KEY_RUNNING, 1, 0.05), Places(KEY_RUNNING, 1, 60)
    lost = take(short, "a")
    deadline = threading.Event()
    while not can_take(places, "a"):
        deadline.wait(0.01)
    lost.leave(caches["default"])
    assert not can_take(places, "a")


def test_many_threads_at_once() -> None:
    places = Places(KEY_RUNNING, 7, 60)
    begin = threading.Barrier(64)

    def ask(number: int) -> bool:
        begin.wait(20)
        return can_take(places, "a")

    with ThreadPoolExecutor(64) as threads:
        assert sum(threads.map(ask, range(64))) == 7


def test_somebody_quicker_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the places and the taking of one."""
    places = Places(KEY_RUNNING, 2, 60)
    cache: Any = caches["default"]
    look = cache.get_many

    def slow_look(keys: list[str]) -> dict[str, str]:
        found = look(keys)
        cache.add(keys[0], "somebody else", timeout=60)
        return found

    monkeypatch.setattr(cache, "get_many", slow_look)
    assert take(places, "a").cache_key.endswith(":1")
    with pytest.raises(NoPlace):
        take(places, "a")
