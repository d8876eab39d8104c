"""Ninety days in ninety cells: how much of each day the pool was there, and what went wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ai_model.pool.advice import ENOUGH_ANSWERS, GOOD_ANSWERS
from apps.ai_pool.models import PoolHistory

NUM_DAYS = 90
GOOD_SHARE, FAIR_SHARE = 0.995, 0.95
DAY_S = 86_400.0
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Day:
    """One day. ``level`` is good, watch, act, or none when nothing is known of it."""

    day: date
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Uptime:
    """All days, the oldest first, and the share of the known time the pool was there."""

    days: tuple[Day, ...]
    share: float | None

    @property
    def share_text(self) -> str:
        """The share in percent; 100 % only if nothing is missing."""
        return "" if self.share is None else f"{int(1000 * self.share + 1e-9) / 10:g} %"


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted on one day."""

    seconds: float
    num_starts: int
    num_ok: int
    num_ended: int


_OK = ("num_done", "num_length", "num_user_stop")
_BAD = ("num_deadline", "num_failed", "num_expired", "num_pool_lost")


def read_uptime(now: datetime) -> Uptime:
    """Return the last 90 days until ``now`` (aware), by one query."""
    today_s = now.timestamp() // DAY_S * DAY_S
    rows = PoolHistory.objects.filter(
        resolution_s=PoolHistory.Resolution.HOUR,
        start__gte=datetime.fromtimestamp(today_s - (NUM_DAYS - 1) * DAY_S, tz=UTC),
        start__lte=now,
        num_samples__gt=0,
    )
    # Two thousand rows are summed here: no database has days that all of them count alike.
    sums: defaultdict[date, list[float]] = defaultdict(lambda: [0.0, 0, 0, 0])
    hours = rows.order_by("start").values_list("unix_s", "seconds", "num_starts", *_OK, *_BAD)
    for unix_s, seconds, num_starts, *ends in hours:
        total = sums[date.fromordinal(EPOCH + int(unix_s // DAY_S))]
        num_ok = sum(ends[: len(_OK)])
        for at, value in enumerate((seconds, num_starts, num_ok, sum(ends))):
            total[at] += value
    return uptime({day: Totals(*total) for day, total in sums.items()}, now)


def uptime(totals: Mapping[date, Totals], now: datetime) -> Uptime:
    """Return the cells. The first day of all began when the first number was noted, so what is
    missing of it is not held against the pool."""
    today = now.astimezone(UTC)
    first = min(totals, default=None)
    days, there_s, known_s = [], 0.0, 0.0
    for back in range(NUM_DAYS - 1, -1, -1):
        day = (today - timedelta(days=back)).date()
        found = totals.get(day)
        if first is None or day < first:
            days.append(Day(day, "none", "nothing is known"))
            continue
        length_s = DAY_S
        if back == 0:
            # The newest minutes are not stored yet.
            length_s = max(1.0, today.hour * 3600 + today.minute * 60 - 120)
        seconds = 0.0 if found is None else min(found.seconds, length_s)
        if day == first:
            length_s = max(1.0, seconds)
        there_s, known_s = there_s + seconds, known_s + length_s
        days.append(_day(day, seconds / length_s, found))
    return Uptime(tuple(days), there_s / known_s if known_s else None)


def _day(day: date, share: float, found: Totals | None) -> Day:
    if found is None or not found.seconds:
        return Day(day, "act", "the pool was not there")
    parts = [f"there {share:.1%} of the day" if share < 0.9995 else "there all day"]
    # A day that begins with a start has not been interrupted by it.
    if found.num_starts:
        times = "once" if found.num_starts == 1 else f"{found.num_starts} times"
        parts.append(f"started {times}")
    ok = found.num_ok / found.num_ended if found.num_ended else 1.0
    if found.num_ended > found.num_ok:
        parts.append(f"{found.num_ended - found.num_ok:,} of {found.num_ended:,} answers failed")
    if share < FAIR_SHARE or ok < ENOUGH_ANSWERS:
        level = "act"
    elif share < GOOD_SHARE or ok < GOOD_ANSWERS:
        level = "watch"
    else:
        level = "good"
    return Day(day, level, ", ".join(parts))
