"""Counts over all lives of the pool, so that counters go on where a dead pool process left them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict

from ai_model.pool.status import PoolStatus
from apps.ai_pool.metric import Kind, Metric, Reading
from apps.ai_pool.metrics_table import METRICS, OTHER

RESTARTS = "corral_pool_restarts_total"
SUM = "sum"
MAX_LIVES = 8
"""Lives whose counts are kept apart; older ones are added up."""

Key = tuple[str, str]
"""A metric, and the value of its label, the number of its bucket, or SUM."""

_COUNTERS = tuple(metric for metric in METRICS if metric.kind is Kind.COUNTER and not metric.is_own)
_HISTOGRAMS = tuple(metric for metric in METRICS if metric.kind is Kind.HISTOGRAM)


class Totals:
    """What every pool process that was looked at has counted, added up. Not thread-safe.

    What a process counts between the last look and its death is lost. Nothing ever goes back: a
    late answer of an earlier moment, or of an earlier life, changes nothing.
    """

    def __init__(self) -> None:
        self._lives: OrderedDict[str, dict[Key, float]] = OrderedDict()
        self._folded: dict[Key, float] = defaultdict(float)
        self._num_restarts = 0
        self._last_restarts = 0
        """Restarts that the youngest life has told of."""

    def take(self, status: PoolStatus) -> None:
        """Take what a pool says; a status that no pool has given is nothing to count."""
        if not status.pid:
            return
        # A pool of an earlier release does not name its lives.
        life = status.life or f"process {status.pid}"
        counts = self._lives.get(life)
        if counts is None:
            counts = self._begin(life, status.num_restarts)
        for key, value in counts_of(status).items():
            counts[key] = max(counts.get(key, 0.0), value)

    def __getitem__(self, key: Key) -> float:
        """Return the total of one number; 0 when nothing was counted."""
        if key == (RESTARTS, ""):
            return float(self._num_restarts)
        return self._folded.get(key, 0.0) + sum(
            counts.get(key, 0.0) for counts in self._lives.values()
        )

    def _begin(self, life: str, num_restarts: int) -> dict[Key, float]:
        if not self._lives:
            self._num_restarts = num_restarts
        else:
            # Whoever starts pools may have been started again itself, and counts from 0 then.
            self._num_restarts += max(1, num_restarts - self._last_restarts)
        self._last_restarts = num_restarts
        if len(self._lives) >= MAX_LIVES:
            _, oldest = self._lives.popitem(last=False)
            for key, value in oldest.items():
                self._folded[key] += value
        counts: dict[Key, float] = {}
        self._lives[life] = counts
        return counts


def counts_of(status: PoolStatus) -> dict[Key, float]:
    """Return everything that one life of the pool has counted."""
    reading = Reading(status)
    counts: dict[Key, float] = defaultdict(float)
    for metric in _COUNTERS:
        for value, number in metric.read(reading).items():
            counts[metric.name, _known(metric, value)] += number
    for metric in _HISTOGRAMS:
        counts |= _buckets(metric, status)
    return counts


def _known(metric: Metric, value: str) -> str:
    return value if not metric.label or value in metric.label_values else OTHER


def _buckets(metric: Metric, status: PoolStatus) -> dict[Key, float]:
    figures = status.latencies.get(str(metric.latency))
    # A pool of another release may sort into other buckets, which cannot be added to these.
    if figures is None or figures.bounds != metric.bounds:
        return {}
    buckets = {(metric.name, str(index)): count for index, count in enumerate(figures.counts)}
    return {**buckets, (metric.name, SUM): figures.total}
