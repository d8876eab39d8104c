"""One metric: its name, type, unit, label and help, and where its number comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ai_model.pool.latencies import BOUNDS, Latency
from ai_model.pool.status import PoolStatus

BASE_UNITS = frozenset({"seconds", "bytes", "ratio"})
"""Units that a name ends with; everything else is counted."""
Values = Mapping[str, float]
"""Numbers by the value of the label; by "" for a metric without one. Empty: nothing is known."""


class Kind(StrEnum):
    """The types of Prometheus that are used."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the metrics are made of: what the pool says, and what this web process counts."""

    status: PoolStatus
    num_sockets: int = 0
    num_sockets_opened: int = 0
    num_refused: Mapping[str, float] = field(default_factory=dict)
    """By the limit that was met."""
    sign_ins: Mapping[str, float] = field(default_factory=dict)
    """By how they ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. The name of a counter ends with _total, that of an info with _info."""

    name: str
    kind: Kind
    unit: str
    """One of BASE_UNITS, or what is counted."""
    help: str
    label: str = ""
    label_values: tuple[str, ...] = ()
    """Every value the label can have; those of a counter begin at 0."""
    read: Callable[[Reading], Values] = lambda _: {}
    is_own: bool = False
    """Counted by the web process, not by the pool."""
    latency: Latency | None = None
    """Whose histogram it is."""

    @property
    def bounds(self) -> tuple[float, ...]:
        """The upper ends of a histogram's buckets."""
        return () if self.latency is None else BOUNDS[self.latency]
