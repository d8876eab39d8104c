"""Ninety cells: what is missing counts against the pool, but not before its first day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.ai_pool.dashboard.uptime import DAY_S, NUM_DAYS, Totals, read_uptime, uptime
from apps.ai_pool.models import PoolHistory

NOW = datetime(2030, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()


def day(back: int) -> date:
    return TODAY - timedelta(days=back)


def good(seconds: float = DAY_S, **values: int) -> Totals:
    usual = {"num_starts": 0, "num_ok": 100, "num_ended": 100}
    return Totals(seconds=seconds, **usual | values)


def test_nothing_is_known() -> None:
    made = uptime({}, NOW)
    assert len(made.days) == NUM_DAYS and made.share is None and made.share_text == ""
    assert {one.level for one in made.days} == {"none"}


def test_levels() -> None:
    totals = {
        day(6): good(40_000),
        day(5): good(),
        day(4): good(0.97 * DAY_S, num_starts=2),
        day(3): good(num_ok=90),
        day(1): good(0.5 * DAY_S),
        day(0): good(DAY_S / 2),
    }
    made = uptime(totals, NOW)
    assert [one.level for one in made.days[-8:]] == [
        *("none", "good", "good", "watch", "act", "act", "act", "good")
    ]
    assert made.days[-5].text == "there 97.0% of the day, started 2 times"
    assert made.days[-4].text == "there all day, 10 of 100 answers failed"
    assert made.days[-3].text == "the pool was not there"
    assert made.share is not None and 0.6 < made.share < 0.8


def test_all_is_only_all() -> None:
    nearly = uptime({day(2): good(), day(1): good(0.9999 * DAY_S), day(0): good(DAY_S / 2)}, NOW)
    assert nearly.share_text == "99.9 %"
    assert uptime({day(1): good(), day(0): good(DAY_S / 2)}, NOW).share_text == "100 %"


@pytest.mark.django_db
def test_read_from_the_hours_of_each_day() -> None:
    for back in range(0, 72):
        start = (NOW - timedelta(hours=back)).replace(minute=0)
        PoolHistory.objects.create(
            resolution_s=3600,
            start=start,
            unix_s=start.timestamp() + 3599,
            seconds=3600,
            num_samples=360,
            num_done=1,
            num_failed=int(back == 30),
        )
    # An hour that another process is just about to fill.
    PoolHistory.objects.create(resolution_s=3600, start=NOW - timedelta(days=80))
    PoolHistory.objects.create(resolution_s=60, start=NOW, num_samples=6, num_failed=99)
    made = read_uptime(NOW)
    assert [one.level for one in made.days[-4:]] == ["good", "good", "watch", "good"]
    assert "1 of 25 answers failed" in made.days[-2].text
