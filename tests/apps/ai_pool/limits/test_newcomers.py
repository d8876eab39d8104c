"""Dropped cookies are counted by the block they come from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.cache import caches

from apps.ai_pool.limits.allowance import OverLimit
from apps.ai_pool.limits.newcomers import WINDOW_S, Newcomers
from apps.ai_pool.limits.refusals import NEW_VISITORS

pytestmark = pytest.mark.usefixtures("counted")
BLOCK = "203.0.114.0/24"
NOW = 1_000_040.0


def newcomers(limit: int, now: list[float] | None = None) -> Newcomers:
    times = now or [NOW]
    return Newcomers(limit, clock=lambda: times[0])


def test_a_visitor_counts_once() -> None:
    cache, few = caches["default"], newcomers(2)
    for visitor in ("anna", "anna", "bert", "anna", "bert"):
        few.admit(cache, BLOCK, visitor)
    with pytest.raises(OverLimit) as caught:
        few.admit(cache, BLOCK, "carl")
    assert caught.value.name == NEW_VISITORS
    assert caught.value.retry_after_s == WINDOW_S - NOW % WINDOW_S
    few.admit(cache, BLOCK, "anna")
    few.admit(cache, "203.0.115.0/24", "carl")


def test_the_next_hour_is_new() -> None:
    now = [NOW]
    few = newcomers(1, now)
    few.admit(caches["default"], BLOCK, "anna")
    now[0] += WINDOW_S
    few.admit(caches["default"], BLOCK, "bert")
    with pytest.raises(OverLimit):
        few.admit(caches["default"], BLOCK, "anna")


@pytest.mark.parametrize(("limit", "block"), [(0, BLOCK), (1, "")])
def test_no_limit_and_an_address_that_tells_nothing(limit: int, block: str) -> None:
    for visitor in "abcdef":
        newcomers(limit).admit(caches["default"], block, visitor)


def test_sixty_four_at_once_are_no_more_than_may_be() -> None:
    cache, few, together = caches["default"], newcomers(10), Barrier(64)

    def come(number: int) -> int | None:
        visitor = number // 2
        together.wait(timeout=20)
        try:
            few.admit(cache, BLOCK, f"visitor-{visitor}")
        except OverLimit:
            return None
        return visitor

    with ThreadPoolExecutor(64) as pool:
        admitted = {visitor for visitor in pool.map(come, range(64)) if visitor is not None}
    assert 1 <= len(admitted) <= 10
