"""The last few measurements of one kind, and what is usual among them."""

from __future__ import annotations

from collections import deque


class Samples:
    """A bounded window of numbers."""

    def __init__(self, max_size: int = 200) -> None:
        self._values: deque[float] = deque(maxlen=max_size)

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: float) -> None:
        """Add a measurement, forgetting the oldest when there are too many."""
        self._values.append(value)

    def quantile(self, share: float) -> float | None:
        """Return the value that ``share`` (0 to 1) of the measurements do not exceed, or None."""
        if not self._values:
            return None
        ordered = sorted(self._values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
