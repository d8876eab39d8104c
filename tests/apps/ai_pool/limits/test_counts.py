"""Counts go up together or not at all, and end by themselves."""

from __future__ import annotations

import pytest
from django.core.cache import caches

from apps.ai_pool.limits.counts import Count, Full, add_all, take_back


def counts(*given: tuple[str, int, int]) -> list[Count]:
    return [Count(key, amount, limit, 60) for key, amount, limit in given]


def now(*keys: str) -> list[int | None]:
    return [caches["default"].get(key) for key in keys]


@pytest.mark.usefixtures("counted")
def test_all_or_none() -> None:
    cache = caches["default"]
    assert add_all(cache, counts(("a", 2, 5), ("b", 3, 3))) == [2, 3]
    assert add_all(cache, counts(("a", 3, 5))) == [5]
    with pytest.raises(Full) as full:
        add_all(cache, counts(("c", 1, 1), ("b", 1, 3), ("d", 1, 9)))
    assert (full.value.index, full.value.used) == (1, 3)
    assert [number or 0 for number in now("a", "b", "c", "d")] == [5, 3, 0, 0]


@pytest.mark.usefixtures("counted")
def test_what_is_taken_back_never_goes_below_nothing() -> None:
    cache = caches["default"]
    add_all(cache, counts(("a", 2, 5), ("b", 3, 5)))
    take_back(cache, [("a", 1), ("b", 9)])
    take_back(cache, [("nowhere", 4)])
    assert now("a", "b", "nowhere") == [1, 0, None]


def test_in_redis_they_end_by_themselves(counted: str) -> None:
    if not counted:
        pytest.skip("this process forgets what it has not used for longest")
    cache = caches["default"]
    client = cache._cache.get_client()  # type: ignore[attr-defined]
    add_all(cache, counts(("a", 2, 5), ("b", 1, 5)))
    add_all(cache, counts(("a", 1, 5)))
    take_back(cache, [("a", 9)])
    assert [0 < client.ttl(cache.make_key(key)) <= 60 for key in ("a", "b")] == [True, True]
