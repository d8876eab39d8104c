"""The last two hours of a pool, a sample every ten seconds, in memory."""

from __future__ import annotations

from collections import deque

from ai_model.pool.pool_sample import (
    PoolSample,
    from_json,
    is_other_process,
    roll,
    sample_between,
    to_json,
)
from ai_model.pool.status import PoolState, PoolStatus

__all__ = ["History", "INTERVAL_S", "MAX_SAMPLES", "PoolSample", "from_json", "roll", "to_json"]

INTERVAL_S = 10.0
"""How often the owner of a history looks at its pool."""
MAX_SAMPLES = 720
FRESH_S = 6 * INTERVAL_S
"""A pool younger than this when it is first seen has no history that was missed."""


class History:
    """A bounded list of samples. ``now`` is always monotonic seconds given by the caller.

    Kept by the pool itself on its event loop, or by whoever watches a pool over its socket: it
    notices a restart of the pool and goes on. Not thread-safe.
    """

    def __init__(self, max_samples: int = MAX_SAMPLES) -> None:
        self._samples: deque[tuple[float, PoolSample]] = deque(maxlen=max_samples)
        self._seen: tuple[float, PoolStatus] | None = None

    def __len__(self) -> int:
        return len(self._samples)

    def observe(self, status: PoolStatus, now: float, *, unix_s: float) -> PoolSample | None:
        """Add and return the sample of the time since the last look.

        ``unix_s`` is the time of day in seconds since 1970. Returns None for a pool that was there
        long before the first look (what it counts did not happen now), and for one that is down.
        """
        if status.state is PoolState.DOWN:
            return None
        seen, self._seen = self._seen, (now, status)
        if seen is None:
            if status.uptime_s > FRESH_S:
                return None
            sample = sample_between(None, status, unix_s=unix_s, seconds=status.uptime_s)
        else:
            seen_at, before = seen
            seconds = max(0.0, now - seen_at)
            if is_other_process(before, status):
                seconds = min(seconds, status.uptime_s)
            sample = sample_between(before, status, unix_s=unix_s, seconds=seconds)
        self.add(sample, now)
        return sample

    def add(self, sample: PoolSample, now: float) -> None:
        """Add a sample made at ``now``, forgetting the oldest when there are too many."""
        self._samples.append((now, sample))

    def since(self, age_s: float, now: float | None = None) -> tuple[PoolSample, ...]:
        """Return the samples of the last ``age_s`` seconds, oldest first.

        They are counted from ``now``, or from the newest sample without it.
        """
        if not self._samples:
            return ()
        end = self._samples[-1][0] if now is None else now
        return tuple(sample for at, sample in self._samples if at > end - age_s)
