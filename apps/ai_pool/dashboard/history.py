"""The pool's history as evenly spaced points: what is stored, and what the pool has told since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ai_model.pool.pool_sample import PoolSample, roll
from apps.ai_pool import rollup
from apps.ai_pool.dashboard.period import Period

FRESH_S = 900.0
"""How much of its history to ask the pool for; the database has the rest, all but a minute old."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A period cut into steps. A step of which nothing is known has no sample."""

    period: Period
    begin: datetime
    samples: tuple[PoolSample | None, ...]

    @property
    def known(self) -> list[PoolSample]:
        """The samples there are, oldest first."""
        return [sample for sample in self.samples if sample is not None]

    def time_of(self, index: int) -> str:
        """Return when a step began, as a text."""
        return self.period.time_of(self.begin, index)


def read_timeline(period: Period, now: datetime, fresh: Sequence[PoolSample] = ()) -> Timeline:
    """Return the history of ``period`` until ``now`` (aware), by one query.

    ``fresh`` are the newest samples of the pool itself, ten seconds each, oldest first.
    """
    begin = period.begin(now)
    samples = read_samples(period, now)
    # Of an hour the pool itself knows the last minutes at most.
    return timeline(period, begin, samples if period.is_hourly else merge(samples, fresh))


def read_samples(period: Period, now: datetime) -> list[PoolSample]:
    """Return what is stored of ``period`` until ``now``: its minutes, or hours if it is long."""
    resolution = rollup.Resolution.HOUR if period.is_hourly else rollup.Resolution.MINUTE
    return rollup.read(resolution, period.begin(now), now + timedelta(minutes=5))


def timeline(period: Period, begin: datetime, samples: Iterable[PoolSample]) -> Timeline:
    """Put samples into the steps in which they ended; those outside of the period are left out."""
    steps: defaultdict[int, list[PoolSample]] = defaultdict(list)
    start_s = begin.timestamp()
    for sample in samples:
        index = int((sample.unix_s - start_s) // period.step_s)
        if 0 <= index < period.num_steps:
            steps[index].append(sample)
    return Timeline(
        period,
        begin,
        tuple(
            None if not (group := steps.get(at)) else group[0] if len(group) == 1 else roll(group)
            for at in range(period.num_steps)
        ),
    )


def merge(stored: Sequence[PoolSample], fresh: Sequence[PoolSample]) -> list[PoolSample]:
    """Return stored minutes, those replaced of which ``fresh`` knows as much or more."""
    new: defaultdict[int, list[PoolSample]] = defaultdict(list)
    for sample in fresh:
        new[int(sample.unix_s // 60)].append(sample)
    old = {int(sample.unix_s // 60): sample for sample in stored}
    merged: dict[int, list[PoolSample]] = {minute: [sample] for minute, sample in old.items()}
    for minute, group in new.items():
        if minute not in old or len(group) >= old[minute].num_samples:
            merged[minute] = group
    return [sample for minute in sorted(merged) for sample in merged[minute]]
