"""Keeps the pool's history in the database: minutes for two days, hours for a year.

A web process asks its ``Recorder`` once a minute how far back to fetch the pool's samples, and
gives them to it in a thread; several web processes may do so at the same time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from ai_model.pool.history import INTERVAL_S, MAX_SAMPLES
from ai_model.pool.pool_sample import PoolSample, roll
from apps.ai_pool.models import PoolHistory

Resolution = PoolHistory.Resolution

RECORD_EVERY_S = 60.0
"""How often a web process should call ``record``; less often loses nothing within two hours."""
KEEP = {Resolution.MINUTE: timedelta(hours=48), Resolution.HOUR: timedelta(days=400)}
OLDEST_SAMPLE = timedelta(hours=6)
"""Older samples are refused: their hour is counted from minutes that may be deleted already."""
NEWEST_SAMPLE = timedelta(minutes=2)
"""Samples from further in the future are refused: a clock was wrong."""
UNSETTLED = timedelta(minutes=10)
"""How long a recorder remembers samples, so that a minute survives a restart of the pool."""
PRUNE_BATCH = 500

_NAMES = [item.name for item in fields(PoolSample)]


class Recorder:
    """What one web process remembers between two records. Used by one thread at a time."""

    def __init__(self) -> None:
        self._recent: dict[float, PoolSample] = {}
        self._recorded_at: datetime | None = None

    def wanted_s(self, now: datetime) -> float:
        """Return how many seconds of the pool's history to fetch now: all of it at first, then what
        is new and the minute before it."""
        if self._recorded_at is None or now < self._recorded_at:
            return INTERVAL_S * MAX_SAMPLES
        new_s = (now - self._recorded_at).total_seconds() + 2 * RECORD_EVERY_S
        return min(new_s, INTERVAL_S * MAX_SAMPLES)

    def record(self, samples: Iterable[PoolSample], now: datetime) -> int:
        """Write samples fetched at ``now`` (aware); returns the rows written. See ``record``.

        A pool that was started again has forgotten its samples of the minute in which it died;
        this still has those it was given before. Closes this thread's database connection, since
        the thread may be a new one each time. Raises django.db.DatabaseError; call again later.
        """
        remembered = self._recent | {sample.unix_s: sample for sample in samples}
        oldest = (now - UNSETTLED).timestamp()
        self._recent = {at: sample for at, sample in remembered.items() if at >= oldest}
        try:
            num_rows = record(remembered.values(), now)
            self._recorded_at = now
            return num_rows
        finally:
            if not connection.in_atomic_block:
                connection.close()


def record(samples: Iterable[PoolSample], now: datetime) -> int:
    """Write the minutes and hours that ``samples`` tell about; returns the rows written.

    ``now`` is aware. Doing it again, or in two processes at once, changes nothing: a minute is
    replaced only by one that is made of more samples, and an hour is always counted from its
    minutes. Too old rows are deleted on the way, some hundreds at a time.
    """
    minutes = _by_minute(samples, now)
    known = dict(
        PoolHistory.objects.filter(
            resolution_s=Resolution.MINUTE, start__in=list(minutes)
        ).values_list("start", "num_samples")
    )
    news = {
        start: sample
        for start, sample in sorted(minutes.items())
        if sample.num_samples > known.get(start, 0)
    }
    if not news:
        return 0
    # Always minutes before hours and early before late, so that two writers cannot lock each
    # other out.
    with transaction.atomic():
        num_rows = 0
        for start, row in _locked_rows(Resolution.MINUTE, news).items():
            if news[start].num_samples > row.num_samples:
                _fill(row, news[start])
                num_rows += 1
        hours = sorted({start.replace(minute=0) for start in news})
        for start, row in _locked_rows(Resolution.HOUR, hours).items():
            _fill(row, roll(read(Resolution.MINUTE, start, start + timedelta(hours=1))))
            num_rows += 1
    prune(now)
    return num_rows


def read(resolution: Resolution, since: datetime, before: datetime) -> list[PoolSample]:
    """Return the samples whose period begins in [since, before), oldest first."""
    rows = PoolHistory.objects.filter(
        resolution_s=resolution, start__gte=since, start__lt=before, num_samples__gt=0
    )
    return [
        PoolSample(**dict(zip(_NAMES, row, strict=True)))
        for row in rows.order_by("start").values_list(*_NAMES)
    ]


def prune(now: datetime) -> int:
    """Delete rows past their time, PRUNE_BATCH of each resolution at most; returns how many."""
    num_rows = 0
    for resolution, age in KEEP.items():
        old = PoolHistory.objects.filter(resolution_s=resolution, start__lt=now - age)
        batch = list(old.order_by("start").values_list("pk", flat=True)[:PRUNE_BATCH])
        if batch:
            num_rows += PoolHistory.objects.filter(pk__in=batch).delete()[0]
    return num_rows


def _by_minute(samples: Iterable[PoolSample], now: datetime) -> dict[datetime, PoolSample]:
    """Return one sample for each minute."""
    oldest = (now - OLDEST_SAMPLE).timestamp()
    newest = (now + NEWEST_SAMPLE).timestamp()
    # The same sample may come twice: its time is its name.
    once = {sample.unix_s: sample for sample in samples if oldest <= sample.unix_s <= newest}
    minutes: defaultdict[datetime, list[PoolSample]] = defaultdict(list)
    for unix_s in sorted(once):
        start = datetime.fromtimestamp(unix_s // 60 * 60, tz=UTC)
        minutes[start].append(once[unix_s])
    return {start: roll(group) for start, group in minutes.items()}


def _locked_rows(resolution: Resolution, starts: Iterable[datetime]) -> dict[datetime, PoolHistory]:
    """Return a row for each start, made now if need be, that nobody else can change meanwhile."""
    wanted = list(starts)
    PoolHistory.objects.bulk_create(
        [PoolHistory(resolution_s=resolution, start=start) for start in wanted],
        ignore_conflicts=True,
    )
    rows = PoolHistory.objects.select_for_update().filter(resolution_s=resolution, start__in=wanted)
    return {row.start: row for row in rows.order_by("start")}


def _fill(row: PoolHistory, sample: PoolSample) -> None:
    for name in _NAMES:
        setattr(row, name, getattr(sample, name))
    row.save(update_fields=_NAMES)
