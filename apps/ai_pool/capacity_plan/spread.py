"""Mean and percentiles of some measured or simulated seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import fmean
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds: the mean, and what half, 95 and 99 of a hundred are at most."""

    avg: float
    p50: float
    p95: float
    p99: float
    num: int
    """How many values these are; with none the others are 0."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of ``values`` in any order; percentiles are values that occurred."""
        if not values:
            return cls(0.0, 0.0, 0.0, 0.0, 0)
        ordered = sorted(values)

        def at(share: float) -> float:
            return ordered[max(0, ceil(share * len(ordered)) - 1)]

        return cls(fmean(ordered), at(0.5), at(0.95), at(0.99), len(ordered))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, in milliseconds' precision."""
        return {name: round(value, 3) for name, value in asdict(self).items()}
