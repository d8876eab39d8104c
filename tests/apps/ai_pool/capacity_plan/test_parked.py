"""Parked conversations: bounded, the oldest go first."""

from __future__ import annotations

from apps.ai_pool.capacity_plan.parked import Parked


def test_what_was_taken_is_gone() -> None:
    parked = Parked(100)
    parked.put(1, 40)
    assert (parked.take(1), parked.take(1)) == (40, 0)


def test_the_oldest_are_dropped() -> None:
    parked = Parked(100)
    for conversation in (1, 2, 3):
        parked.put(conversation, 40)
    assert [parked.take(conversation) for conversation in (1, 2, 3)] == [0, 40, 40]


def test_parking_again_counts_once() -> None:
    parked = Parked(100)
    parked.put(1, 60)
    parked.put(1, 70)
    parked.put(2, 30)
    assert (parked.take(1), parked.take(2)) == (70, 30)


def test_one_that_is_too_long_drives_nobody_out() -> None:
    parked = Parked(100)
    parked.put(1, 40)
    parked.put(2, 101)
    assert (parked.take(1), parked.take(2)) == (40, 0)
