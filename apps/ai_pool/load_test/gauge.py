"""How many visitors wait and how many are being answered, now, at most, and over time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

SAMPLE_S = 0.25
"""Changes closer together than this are one point of the plot."""
MAX_SAMPLES = 4000


class Phase(StrEnum):
    """What a visitor does."""

    AWAY = "away"
    WAITING = "waiting"
    ANSWERED = "answered"


@dataclass
class Gauge:
    """Lives on one event loop."""

    started: float = field(default_factory=time.monotonic)
    num_waiting: int = 0
    num_running: int = 0
    max_waiting: int = 0
    max_running: int = 0
    samples: list[tuple[float, int, int]] = field(default_factory=list)
    """Seconds since the start, waiting, running."""

    def move(self, before: Phase, after: Phase) -> None:
        """Note that a visitor goes from one phase to another."""
        self.num_waiting += (after is Phase.WAITING) - (before is Phase.WAITING)
        self.num_running += (after is Phase.ANSWERED) - (before is Phase.ANSWERED)
        self.max_waiting = max(self.max_waiting, self.num_waiting)
        self.max_running = max(self.max_running, self.num_running)
        point = (time.monotonic() - self.started, self.num_waiting, self.num_running)
        if self.samples and point[0] - self.samples[-1][0] < SAMPLE_S:
            # The newest values count, at the time of the point that is there.
            self.samples[-1] = (self.samples[-1][0], *point[1:])
        elif len(self.samples) < MAX_SAMPLES:
            self.samples.append(point)
