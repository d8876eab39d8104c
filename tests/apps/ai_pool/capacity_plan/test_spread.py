"""Percentiles are values that occurred."""

from __future__ import annotations

from apps.ai_pool.capacity_plan.spread import Spread


def test_percentiles_of_a_hundred() -> None:
    spread = Spread.of([float(number) for number in range(100, 0, -1)])
    assert (spread.p50, spread.p95, spread.p99, spread.avg) == (50, 95, 99, 50.5)


def test_of_nothing_and_of_one() -> None:
    assert Spread.of([]) == Spread(0, 0, 0, 0, 0)
    assert Spread.of([3.0]) == Spread(3, 3, 3, 3, 1)
