"""Utilisation is the mean of instances running by instances, over a window of time."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.occupancy import (
    LONG_WINDOW_S,
    MAX_MARKS,
    NUM_STEPS,
    SHORT_WINDOW_S,
    Occupancy,
)


def test_nothing_is_known_at_first() -> None:
    occupancy = Occupancy()
    assert occupancy.utilisation(SHORT_WINDOW_S, 5.0) is None
    occupancy.set(0, 4, 5.0)
    assert occupancy.utilisation(SHORT_WINDOW_S, 5.0) is None


def test_a_young_pool_tells_about_its_life() -> None:
    occupancy = Occupancy()
    occupancy.set(4, 4, 1000)
    occupancy.set(1, 4, 1010)
    assert occupancy.utilisation(SHORT_WINDOW_S, 1020) == pytest.approx(0.625)
    assert occupancy.utilisation(LONG_WINDOW_S, 1020) == pytest.approx(0.625)
    assert (occupancy.running_s, occupancy.instance_s) == (50, 80)


def test_what_lies_behind_the_window_does_not_count() -> None:
    """A busy hour, then an idle one without a single change."""
    occupancy = Occupancy()
    occupancy.set(2, 2, 0)
    for second in range(0, 3600, 7):
        occupancy.set(2, 2, second)
    occupancy.set(0, 2, 3600)
    assert occupancy.utilisation(SHORT_WINDOW_S, 3600) == pytest.approx(1.0)
    assert occupancy.utilisation(SHORT_WINDOW_S, 3600 + 450) == pytest.approx(0.5, abs=0.01)
    assert occupancy.utilisation(SHORT_WINDOW_S, 3600 + 1000) == 0
    assert occupancy.utilisation(LONG_WINDOW_S, 7200) == pytest.approx(0.5)


def test_a_pool_that_grows_is_less_used() -> None:
    occupancy = Occupancy()
    occupancy.set(2, 2, 0)
    occupancy.set(2, 6, 10)
    assert occupancy.utilisation(SHORT_WINDOW_S, 20) == pytest.approx(40 / 80)


def test_a_clock_that_stands_or_goes_back_changes_nothing() -> None:
    occupancy = Occupancy()
    occupancy.set(1, 1, 100)
    occupancy.set(1, 1, 90)
    occupancy.set(0, 1, 100)
    assert (occupancy.running_s, occupancy.instance_s) == (0, 0)


@pytest.mark.parametrize("step", [1, 9, 10, 17, 600, 899, 901])
def test_memory_is_bounded_and_the_window_is_covered(step: int) -> None:
    """At every rate of changes, the slowest ones included."""
    occupancy = Occupancy()
    for number in range(3000):
        occupancy.set(number % 2, 1, number * step)
        if number * step > SHORT_WINDOW_S:
            oldest = occupancy._windows[SHORT_WINDOW_S][0].at
            assert oldest <= number * step - SHORT_WINDOW_S
    assert all(len(marks) <= MAX_MARKS for marks in occupancy._windows.values())


@given(seed=st.integers(0, 10_000), step=st.floats(0.05, 400))
def test_it_is_close_to_the_exact_integral(seed: int, step: float) -> None:
    """Within what one distance between two marks can hide."""
    chance = random.Random(seed)
    occupancy = Occupancy()
    changes = [(0.0, 0)]
    occupancy.set(0, 4, 0.0)
    while len(changes) < 400:
        now = changes[-1][0] + chance.uniform(0.01, step)
        changes.append((now, chance.randrange(5)))
        occupancy.set(changes[-1][1], 4, now)
    end = changes[-1][0]
    start = max(0.0, end - SHORT_WINDOW_S)
    exact = sum(
        running * max(0.0, until - max(at, start))
        for (at, running), (until, _) in pairwise(changes)
    )
    share = occupancy.utilisation(SHORT_WINDOW_S, end)
    if end - start < 1:
        assert share is None
    else:
        hidden = 2 * SHORT_WINDOW_S / NUM_STEPS / (end - start)
        assert share == pytest.approx(exact / (4 * (end - start)), abs=hidden + 1e-9)
