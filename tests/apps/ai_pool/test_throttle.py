"""Turns for networks: so many at once, then so many a second."""

from __future__ import annotations

import pytest

from apps.ai_pool import throttle
from apps.ai_pool.throttle import MAX_TURNS, TURNS_PER_S, Throttle


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_turns_come_back_with_time() -> None:
    clock = Clock()
    turns = Throttle(clock)
    assert [turns.take("a") for _ in range(int(MAX_TURNS))] == [0.0] * int(MAX_TURNS)
    assert turns.take("a") == pytest.approx(1 / TURNS_PER_S)
    assert turns.take("b") == 0, "others have their own"
    clock.now = 1 / TURNS_PER_S
    assert turns.take("a") == 0
    assert turns.take("a") > 0
    clock.now = 3600.0
    assert [turns.take("a") for _ in range(int(MAX_TURNS) + 1)][-1] > 0, "no more than a bucket"


def test_whose_address_tells_nothing_is_not_counted() -> None:
    turns = Throttle(Clock())
    assert not any(turns.take("") for _ in range(500))


def test_it_remembers_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_BLOCKS", 3)
    turns = Throttle(Clock())
    for block in "abcde":
        turns.take(block)
    assert list(turns._left) == ["c", "d", "e"]
