"""Periods end now, and their steps are the same on every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.ai_pool.dashboard.period import DEFAULT, PERIODS, Period, find_period

NOW = datetime(2030, 1, 2, 15, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: period.key)
def test_the_last_step_holds_now(period: Period) -> None:
    begin = period.begin(NOW)
    end = begin + timedelta(seconds=period.seconds)
    assert end - timedelta(seconds=period.step_s) <= NOW < end
    assert begin.timestamp() % period.step_s == 0
    assert period.seconds % period.step_s == 0
    assert period.num_steps <= 180, "a table of the numbers must be bearable"


def test_found_by_name() -> None:
    assert [find_period(period.key) for period in PERIODS] == list(PERIODS)
    assert find_period("<script>") is DEFAULT


def test_times() -> None:
    day = find_period("24h")
    begin = day.begin(NOW)
    assert day.time_of(begin, 0) == "01 Jan 15:10"
    assert day.tick_of(begin, 1.0) == "15:10"
    assert find_period("15m").max_gap == 3 and day.max_gap == 1
