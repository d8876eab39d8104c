"""The history as evenly spaced points: what is stored, and what the pool has told since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.pool_sample import PoolSample
from apps.ai_pool.dashboard.history import merge, read_timeline, timeline
from apps.ai_pool.dashboard.period import find_period
from apps.ai_pool.rollup import record

NOW = datetime(2030, 1, 1, 12, 0, 30, tzinfo=UTC)
HOUR = find_period("1h")


def ten_seconds(back_s: float, **values: float) -> PoolSample:
    usual = {"unix_s": NOW.timestamp() - back_s, "seconds": 10.0}
    return PoolSample(**usual | values)  # type: ignore[arg-type]


def minute(back_s: float, **values: float) -> PoolSample:
    return ten_seconds(back_s, **{"seconds": 60.0, "num_samples": 6} | values)


def test_every_sample_lands_in_its_step() -> None:
    samples = [ten_seconds(10 * number, num_done=1) for number in range(360)]
    made = timeline(HOUR, HOUR.begin(NOW), samples)
    assert len(made.samples) == 60
    assert sum(one.num_done for one in made.known) == len(
        [one for one in samples if one.unix_s >= made.begin.timestamp()]
    )
    assert made.samples[-1] is not None and made.samples[-1].num_done == 4
    assert made.time_of(59) == "12:00"


def test_what_is_not_known_is_no_sample() -> None:
    made = timeline(HOUR, HOUR.begin(NOW), [minute(600)])
    assert [at for at, one in enumerate(made.samples) if one] == [49]


@given(st.lists(st.floats(-1e7, 1e7), max_size=50))
def test_samples_from_anywhere_are_sorted_in_or_left_out(backs: list[float]) -> None:
    made = timeline(HOUR, HOUR.begin(NOW), [ten_seconds(back) for back in backs])
    assert len(made.samples) == 60
    assert sum(one.num_samples for one in made.known) <= len(backs)


def test_the_newest_minute_is_the_fuller_one() -> None:
    stored = [minute(90, num_done=6), minute(30.0, num_samples=2, num_done=2)]
    fresh = [ten_seconds(30 - 10 * number, num_done=1) for number in range(3)]
    assert merge(stored, fresh) == [stored[0], *fresh]
    assert merge(stored, fresh[:1]) == stored
    assert merge([], fresh) == fresh
    assert merge(stored, []) == stored


@pytest.mark.django_db
def test_minutes_for_short_periods_and_hours_for_long_ones() -> None:
    samples = [ten_seconds(10 * number, num_done=1) for number in range(2 * 360)]
    record(samples, NOW)
    short = read_timeline(HOUR, NOW)
    assert sum(one.num_done for one in short.known) == 358
    week = read_timeline(find_period("7d"), NOW, [ten_seconds(600, num_done=1000)])
    assert [one.num_done for one in week.known] == [356, 360, 4]
    later = read_timeline(HOUR, NOW + timedelta(hours=3))
    assert later.known == []
