"""What one key may use is never exceeded, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.cache import caches

from apps.api.allowance import Allowance, OverLimit

NOW = 1_000_020.0
"""Twenty seconds into a minute, when minutes begin at multiples of 60."""


@pytest.fixture(autouse=True)
def empty() -> None:
    caches["default"].clear()


def allowance(limit: int, now: list[float] | None = None) -> Allowance:
    times = now or [NOW]
    return Allowance("tests", limit, 60, clock=lambda: times[0])


def test_so_many_and_no_more() -> None:
    few = allowance(3)
    assert [few.take("a").remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(OverLimit) as caught:
        few.take("a")
    assert caught.value.retry_after_s == 60 - NOW % 60
    assert few.take("b").remaining == 2, "everybody has an allowance of their own"


def test_a_refusal_takes_nothing() -> None:
    few = allowance(10)
    few.take("a", 8)
    with pytest.raises(OverLimit):
        few.take("a", 5)
    assert few.take("a", 2).remaining == 0


def test_the_next_window_is_new() -> None:
    now = [NOW]
    few = allowance(1, now)
    few.take("a")
    now[0] += 60
    assert few.take("a").remaining == 0


def test_what_was_not_needed_comes_back() -> None:
    now = [NOW]
    few = allowance(10, now)
    taken = few.take("a", 10)
    few.give_back(taken, 7)
    assert few.take("a", 7).remaining == 0
    # What belongs to a window that is over must not make the new one larger.
    now[0] += 60
    few.give_back(taken, 10)
    with pytest.raises(OverLimit):
        few.take("a", 11)


def test_none_is_no_limit() -> None:
    free = allowance(0)
    taken = free.take("a", 10**9)
    free.give_back(taken, 5)
    assert taken.limit == 0


def test_sixty_four_at_once_get_no_more_than_there_is() -> None:
    few, together = allowance(20), Barrier(64)

    def ask(number: int) -> bool:
        together.wait(timeout=20)
        try:
            few.take("a")
        except OverLimit:
            return False
        return True

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(ask, range(64))) == 20
