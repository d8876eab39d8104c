"""When a dead pool process is started again, and when that is given up. Pure."""

from __future__ import annotations

DELAYS_S = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
MAX_FRUITLESS_DEATHS = 6
HEALTHY_S = 600.0
"""A process that lived this long did not die of its start: an idle site needs no answers."""
COOL_DOWN_S = 300.0
"""After giving up, one attempt is made each time this has passed."""


class RestartPolicy:
    """Counts deaths without a completed answer in between."""

    def __init__(self) -> None:
        self.num_deaths = 0
        self.num_fruitless = 0

    @property
    def is_open(self) -> bool:
        """Whether restarting has been given up (the circuit breaker is open)."""
        return self.num_fruitless >= MAX_FRUITLESS_DEATHS

    def record_death(self, *, lived_s: float, has_answered: bool) -> float:
        """Note a death and return the seconds to wait before the next start."""
        self.num_deaths += 1
        if has_answered or lived_s >= HEALTHY_S:
            self.num_fruitless = 0
        self.num_fruitless += 1
        if self.is_open:
            return COOL_DOWN_S
        return DELAYS_S[min(self.num_fruitless, len(DELAYS_S)) - 1]

    def reset(self) -> None:
        """Begin anew, because the operator says that the cause is gone."""
        self.num_fruitless = 0
