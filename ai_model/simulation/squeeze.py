"""Takes memory step by step, as a greedy neighbour would, and gives it back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ai_model.control_group import ROOT, own_groups
from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading
from ai_model.memory.sensor import MemorySensor
from ai_model.simulation.hog import Hog
from ai_model.simulation.trace import Peaks, TraceLine
from ai_model.simulation.watch import Watch

STEP_SHARE = 0.02
STEP_S = 0.5
RECOVERY_S = 120.0
"""Three levels down take 70 s, and the kernel's pressure needs some time to fade before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the squeeze has shown."""

    peaks: Peaks
    pool_levels: tuple[str, ...]
    """What the pool said, each change once; empty if it said nothing."""
    is_killed: bool
    """The kernel ended the process that took the memory."""
    is_recovered: bool
    """The level came back to where it began or to that of rest, and the pool's too."""

    @property
    def is_good(self) -> bool:
        """Nobody was killed and everything came back; a pool that tells levels told some."""
        followed = len(self.pool_levels) != 1 or len(self.peaks.levels) == 1
        return not self.is_killed and self.is_recovered and followed


class Squeeze:
    """One squeeze; the memory is given back however it ends."""

    def __init__(
        self,
        sensor: MemorySensor,
        *,
        share: float,
        hold_s: float,
        on_line: Callable[[TraceLine], None],
        pool_level: Callable[[], str] = lambda: "",
        enter: Callable[[], None] | None = None,
        recovery_s: float = RECOVERY_S,
    ) -> None:
        """``share`` is that of memory which cannot be dropped, to be reached and held."""
        self._watch = Watch(sensor, num_processes=lambda: 1, pool_level=pool_level)
        self._sensor = sensor
        self._share = share
        self._hold_s = hold_s
        self._on_line = on_line
        self._enter = enter
        self._recovery_s = recovery_s
        self._pool_levels: list[str] = []
        self._is_killed = False

    def run(self) -> Outcome:
        """Take, hold, give back, and wait until all is as before; two or three minutes."""
        ladder = self._watch.ladder
        ladder.learn_rest(self._sensor.read())
        self._follow(STEP_S)
        calm = max(ladder.level, ladder.resting)
        with Hog(enter=self._enter) as hog:
            self._climb(hog)
            self._follow(self._hold_s)
        return Outcome(
            peaks=self._watch.peaks,
            is_recovered=self._follow(self._recovery_s, back_to=calm),
            pool_levels=tuple(self._pool_levels),
            is_killed=self._is_killed,
        )

    def _climb(self, hog: Hog) -> None:
        while True:
            reading = self._sensor.read()
            if reading.p_kill is None or reading.p_kill >= self._share:
                return
            if not hog.hold(hog.num_bytes + self._step_bytes(reading)):
                self._is_killed = True
                return
            self._follow(STEP_S)

    def _step_bytes(self, reading: MemoryReading) -> int:
        left = self._share - (reading.p_kill or 0.0)
        # The last step must not jump over the edge.
        return max(1 << 20, int(reading.limit_bytes * min(STEP_SHARE, left)))

    def _follow(self, seconds: float, *, back_to: MemoryLevel | None = None) -> bool:
        until = time.monotonic() + seconds
        while True:
            line = self._watch.look()
            if line is not None:
                self._tell(line)
            if back_to is not None and self._is_back(back_to):
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, self._watch.interval_s))

    def _tell(self, line: TraceLine) -> None:
        if line.pool_level and self._pool_levels[-1:] != [line.pool_level]:
            self._pool_levels.append(line.pool_level)
        self._on_line(line)

    def _is_back(self, level: MemoryLevel) -> bool:
        pool = self._pool_levels
        is_pool_back = not pool or MemoryLevel(pool[-1]) <= max(level, MemoryLevel(pool[0]))
        return self._watch.ladder.level <= level and is_pool_back


def joins_group_of(membership: Path, root: Path = ROOT) -> Callable[[], None] | None:
    """Return what moves a new process into the memory group that ``membership`` names.

    None if there is nothing to move to, or this user may not.
    """
    groups = own_groups(root, membership, "memory")
    path = groups[0].directory / "cgroup.procs" if groups else None
    if path is None or not os.access(path, os.W_OK):
        return None

    def enter() -> None:
        path.write_text("0")

    return enter
