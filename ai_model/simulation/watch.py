"""Reads memory as often as the level asks for, and tells it once a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from ai_model.memory.ladder import Ladder
from ai_model.memory.sensor import MemorySensor
from ai_model.simulation.trace import Peaks, TraceLine

LINE_S = 1.0


class Watch:
    """Follows one sensor. Not thread-safe."""

    def __init__(
        self,
        sensor: MemorySensor,
        *,
        num_processes: Callable[[], int] = lambda: 0,
        pool_level: Callable[[], str] = lambda: "",
    ) -> None:
        self.peaks = Peaks()
        self.ladder = Ladder()
        self._sensor = sensor
        self._num_processes = num_processes
        self._pool_level = pool_level
        self._began = time.monotonic()
        self._next_line = self._began

    def look(self) -> TraceLine | None:
        """Take a reading; return a line when the last one is a second old."""
        now = time.monotonic()
        reading = self._sensor.read()
        level = self.ladder.update(reading, now=now)
        at_s = now - self._began
        self.peaks.add(reading, level, at_s)
        if now < self._next_line:
            return None
        self._next_line += LINE_S
        if self._next_line <= now:
            # One that came late must not bring a second one at once.
            self._next_line = now + LINE_S
        return TraceLine(
            at_s=at_s,
            level=level,
            reason=self.ladder.reason,
            reading=reading,
            num_processes=self._num_processes(),
            pool_level=self._pool_level(),
        )

    @property
    def interval_s(self) -> float:
        """How long to wait before the next ``look``."""
        return self.ladder.sample_interval_s
