"""The measurements of one kind in the last minutes, and what is usual among them."""

from __future__ import annotations

from collections import deque


class TimedSamples:
    """The numbers of the last ``max_age_s`` seconds, and never more than ``max_size`` of them.

    All times are monotonic seconds given by the caller and must not go back.
    """

    def __init__(self, max_age_s: float, max_size: int = 2000) -> None:
        self.max_age_s = max_age_s
        self._samples: deque[tuple[float, float]] = deque(maxlen=max_size)

    def add(self, value: float, now: float) -> None:
        """Add a measurement made at ``now``."""
        self._samples.append((now, value))

    def num_samples(self, now: float) -> int:
        """Return how many measurements are young enough."""
        self._forget(now)
        return len(self._samples)

    def quantile(self, share: float, now: float) -> float | None:
        """Return the value that ``share`` (0 to 1) of the measurements do not exceed, or None."""
        self._forget(now)
        ordered = sorted(value for _, value in self._samples)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None

    def _forget(self, now: float) -> None:
        while self._samples and self._samples[0][0] < now - self.max_age_s:
            self._samples.popleft()
