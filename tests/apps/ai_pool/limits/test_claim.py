"""All of several claims, or none of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.cache import caches
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.ai_pool.limits.allowance import Allowance, OverLimit
from apps.ai_pool.limits.claim import Claim, give_back_all, take_all
from apps.ai_pool.limits.refusals import MESSAGES, TOKENS

NOW = 1_000_040.0
pytestmark = pytest.mark.usefixtures("counted")


def claims(messages: int, tokens: int, amount: int = 1) -> list[Claim]:
    return [
        Claim(Allowance(MESSAGES, messages, 60, clock=lambda: NOW), "a"),
        Claim(Allowance(TOKENS, tokens, 3600, clock=lambda: NOW), "a", amount),
    ]


def left(of: Claim) -> int:
    """How much there is to take."""
    for amount in range(of.allowance.limit, 0, -1):
        try:
            taken = of.allowance.take(of.who, amount)
        except OverLimit:
            continue
        of.allowance.give_back(taken, amount)
        return amount
    return 0


def test_whoever_gets_not_all_gets_nothing() -> None:
    wanted = claims(messages=3, tokens=10, amount=6)
    take_all(caches["default"], wanted)
    with pytest.raises(OverLimit) as caught:
        take_all(caches["default"], wanted)
    assert caught.value.name == TOKENS
    assert [left(one) for one in wanted] == [2, 4]


async def test_parts_come_back() -> None:
    wanted = claims(messages=3, tokens=10, amount=6)
    messages, tokens = take_all(caches["default"], wanted)
    await give_back_all([tokens.part(4), messages.part(0)])
    assert [left(one) for one in wanted] == [2, 8]
    assert tokens.part(-5).amount == 0 and tokens.part(99).amount == 6


@given(
    limits=st.tuples(st.integers(1, 8), st.integers(1, 20)),
    amounts=st.lists(st.integers(1, 9), max_size=8),
)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_is_lost_or_made(limits: tuple[int, int], amounts: list[int]) -> None:
    caches["default"].clear()
    num_asked = num_tokens = 0
    for amount in amounts:
        fits = num_asked < limits[0] and num_tokens + amount <= limits[1]
        try:
            take_all(caches["default"], claims(*limits, amount))
        except OverLimit:
            assert not fits
        else:
            assert fits
            num_asked, num_tokens = num_asked + 1, num_tokens + amount
    assert [left(one) for one in claims(*limits)] == [
        limits[0] - num_asked,
        limits[1] - num_tokens,
    ]


def test_sixty_four_at_once() -> None:
    wanted, together = claims(messages=20, tokens=30, amount=2), Barrier(64)

    def ask(number: int) -> bool:
        together.wait(timeout=20)
        try:
            take_all(caches["default"], wanted)
        except OverLimit:
            return False
        return True

    with ThreadPoolExecutor(64) as pool:
        num_granted = sum(pool.map(ask, range(64)))
    # Somebody may be refused for what another one is about to give back; nobody gets too much.
    assert 1 <= num_granted <= 15
    assert [left(one) for one in wanted] == [20 - num_granted, 30 - 2 * num_granted]
