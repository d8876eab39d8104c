"""A memory sensor that says what a test wants."""

from __future__ import annotations

from pathlib import Path

from ai_model.memory import MemoryLevel, MemoryReading

LIMIT = 2 * 2**30
SHARES = {
    MemoryLevel.LOW: (0.50, 0.10),
    MemoryLevel.MEDIUM: (0.80, 0.20),
    MemoryLevel.HIGH: (0.95, 0.30),
    MemoryLevel.CRITICAL: (1.20, 0.93),
}
"""Of each level, once it has been read twice: what is needed, and what cannot be dropped."""


class ScriptedSensor:
    """Reads ``reading``, which a test sets."""

    def __init__(self, level: MemoryLevel = MemoryLevel.LOW) -> None:
        self.reading = MemoryReading()
        self.num_reads = 0
        self.stall_file: Path | None = None
        self.say(level)

    def say(self, level: MemoryLevel) -> None:
        """Read what makes this level from now on."""
        needed, held = SHARES[level]
        self.read_shares(needed, held)

    def read_shares(self, needed: float, held: float, limit_bytes: int = LIMIT) -> None:
        """Read these shares of the limit from now on."""
        self.reading = MemoryReading(
            limit_bytes=limit_bytes,
            unreclaimable_bytes=int(held * limit_bytes),
            p_need=needed,
            p_kill=held,
            p_host=0.0,
            p=needed,
        )

    def read(self) -> MemoryReading:
        """Return the reading."""
        self.num_reads += 1
        return self.reading
