"""One request takes its share of a key's limits and gives back what it did not need."""

from __future__ import annotations

import pytest
from django.core.cache import caches

from apps.api.allowance import OverLimit
from apps.api.models import ApiKey
from apps.api.spending import Spending, TooManyRunning


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
