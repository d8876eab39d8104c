"""How far back the plots look, and how far apart their points are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """A time until now, cut into steps of equal length."""

    key: str
    """Its name in the address."""
    name: str
    seconds: int
    step_s: int
    label: str
    """How the time of a point is written, as in strftime."""
    tick: str
    """The same below a plot, where there is less room."""

    @property
    def num_steps(self) -> int:
        """Points of a plot."""
        return self.seconds // self.step_s

    @property
    def max_gap(self) -> int:
        """Steps of which nothing need be known: a minute may be all that is stored of several."""
        return max(1, 60 // self.step_s)

    @property
    def is_hourly(self) -> bool:
        """Whether it is made of hours; shorter ones are made of minutes."""
        return self.step_s >= 3600

    def begin(self, now: datetime) -> datetime:
        """Return when the first step begins, so that the last one holds ``now`` (aware).

        Steps begin at whole multiples of their length: the points of two pages are the same ones.
        """
        end_s = (math.floor(now.timestamp() / self.step_s) + 1) * self.step_s
        return datetime.fromtimestamp(end_s - self.seconds, tz=UTC)

    def time_of(self, begin: datetime, index: int) -> str:
        """Return the beginning of a step as a text, in UTC."""
        return (begin + timedelta(seconds=index * self.step_s)).strftime(self.label)

    def tick_of(self, begin: datetime, share: float) -> str:
        """Return the time at a share of the whole, 0 to 1."""
        return (begin + timedelta(seconds=share * self.seconds)).strftime(self.tick)


PERIODS = (
    Period("15m", "15 minutes", 900, 20, "%H:%M:%S", "%H:%M"),
    Period("1h", "1 hour", 3600, 60, "%H:%M", "%H:%M"),
    Period("24h", "24 hours", 86_400, 600, "%d %b %H:%M", "%H:%M"),
    Period("7d", "7 days", 7 * 86_400, 3600, "%d %b %H:%M", "%d %b"),
    Period("30d", "30 days", 30 * 86_400, 4 * 3600, "%d %b %H:%M", "%d %b"),
)
DEFAULT = PERIODS[1]


def find_period(key: str) -> Period:
    """Return the period with this name; the default one for anything else."""
    return next((period for period in PERIODS if period.key == key), DEFAULT)
