"""Measured times sorted into buckets, for tools that add up and compare over any period."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields

MAX_BUCKETS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramFigures:
    """What a histogram held at one moment."""

    bounds: tuple[float, ...]
    """Upper ends of the buckets, ascending; a value on a bound belongs to the lower bucket."""
    counts: tuple[int, ...]
    """Values in each bucket alone, and at the end those above the last bound."""
    total: float = 0.0
    """Sum of all values."""

    @property
    def num_values(self) -> int:
        """Values measured."""
        return sum(self.counts)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"bounds": list(self.bounds), "counts": list(self.counts), "total": self.total}

    @classmethod
    def from_json(cls, value: object, name: str) -> HistogramFigures:
        """Return the figures that ``to_json`` wrote. Raises BadFrame."""
        values = Fields(value, name)
        bounds = tuple(
            Fields({"bound": item}, name).number("bound")
            for item in values.items("bounds", max_items=MAX_BUCKETS)
        )
        counts = tuple(
            Fields({"count": item}, name).integer("count")
            for item in values.items("counts", max_items=MAX_BUCKETS + 1)
        )
        if len(counts) != len(bounds) + 1:
            raise BadFrame(f"{name} has {len(counts)} counts for {len(bounds)} bounds")
        if any(low >= high for low, high in pairwise(bounds)):
            raise BadFrame(f"the bounds of {name} do not ascend")
        return cls(bounds=bounds, counts=counts, total=values.number("total"))


class Histogram:
    """Counts values by bucket; it only ever grows in its numbers. For one thread."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """``bounds`` are the upper ends of the buckets, ascending."""
        self.bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float, num: int = 1) -> None:
        """Add ``num`` measurements of the same ``value``; negative values count as 0."""
        value = max(0.0, value)
        self._counts[bisect_left(self.bounds, value)] += num
        self._total += value * num

    def figures(self) -> HistogramFigures:
        """Return what it holds now."""
        return HistogramFigures(
            bounds=self.bounds, counts=tuple(self._counts), total=round(self._total, 6)
        )
