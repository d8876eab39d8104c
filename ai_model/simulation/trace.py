"""What was seen of memory while a command ran: a line per second, and the peaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ai_model.amount import say_amount
from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """One second."""

    at_s: float
    """Since the start."""
    level: MemoryLevel
    """The level by these readings alone."""
    reason: str
    reading: MemoryReading
    num_processes: int
    pool_level: str = ""
    """What the running pool says itself; empty if it says nothing."""

    def to_json(self) -> dict[str, Any]:
        """Return it as one object."""
        reading = self.reading
        return {
            "kind": "sample",
            "at_s": round(self.at_s, 2),
            "level": str(self.level),
            "pool_level": self.pool_level,
            "reason": self.reason,
            "p": _rounded(reading.p),
            "p_need": _rounded(reading.p_need),
            "p_kill": _rounded(reading.p_kill),
            "p_host": _rounded(reading.p_host),
            "limit_bytes": reading.limit_bytes,
            "unreclaimable_bytes": reading.unreclaimable_bytes,
            "weights_bytes": reading.weights_bytes,
            "psi_some_avg10": reading.psi_some_avg10,
            "psi_full_avg10": reading.psi_full_avg10,
            "num_high_events": reading.num_high_events,
            "num_max_events": reading.num_max_events,
            "num_oom_kills": reading.num_oom_kills,
            "refault_bytes_s": round(reading.refault_bytes_s),
            "swap_used_share": _rounded(reading.swap_used_share),
            "source": str(reading.source),
            "alarm": reading.alarm,
            "num_processes": self.num_processes,
        }

    def to_text(self) -> str:
        """Return it as one line of at most about 120 characters."""
        reading = self.reading
        parts = [
            f"{self.at_s:6.0f} s",
            f"{self.level:<8}",
            f"needs {_percent(reading.p)}",
            f"fixed {_percent(reading.p_kill)}",
            f"{say_amount(reading.unreclaimable_bytes):>8} + model "
            f"{say_amount(reading.weights_bytes)} of {say_amount(reading.limit_bytes)}",
        ]
        if reading.psi_some_avg10 is not None:
            parts.append(f"waits {reading.psi_some_avg10:.0f}/{reading.psi_full_avg10 or 0:.0f} %")
        if reading.refault_bytes_s >= 1 << 20:
            parts.append(f"reread {say_amount(int(reading.refault_bytes_s))}/s")
        if reading.swap_used_share:
            parts.append(f"swap {_percent(reading.swap_used_share)}")
        if reading.num_oom_kills:
            parts.append(f"killed {reading.num_oom_kills}")
        if self.pool_level:
            parts.append(f"pool: {self.pool_level}")
        return "  ".join(parts)


@dataclass(slots=True)
class Peaks:
    """The worst of all readings, those between two lines included."""

    unreclaimable_bytes: int = 0
    p: float = 0.0
    p_kill: float = 0.0
    level: MemoryLevel = MemoryLevel.LOW
    num_oom_kills: int = 0
    levels: list[tuple[float, MemoryLevel]] = field(default_factory=list)
    """Each level with the second in which it began."""

    def add(self, reading: MemoryReading, level: MemoryLevel, at_s: float) -> None:
        """Count a reading."""
        self.unreclaimable_bytes = max(self.unreclaimable_bytes, reading.unreclaimable_bytes)
        self.p = max(self.p, reading.p or 0.0)
        self.p_kill = max(self.p_kill, reading.p_kill or 0.0)
        self.level = max(self.level, level)
        self.num_oom_kills = max(self.num_oom_kills, reading.num_oom_kills)
        if not self.levels or self.levels[-1][1] is not level:
            self.levels.append((at_s, level))

    def to_json(self) -> dict[str, Any]:
        """Return them as one object."""
        return {
            "peak_unreclaimable_bytes": self.unreclaimable_bytes,
            "peak_p": _rounded(self.p),
            "peak_p_kill": _rounded(self.p_kill),
            "peak_level": str(self.level),
            "num_oom_kills": self.num_oom_kills,
            "levels": [[round(at_s, 1), str(level)] for at_s, level in self.levels],
        }

    def to_text(self) -> str:
        """Return them as one sentence."""
        kills = f"{self.num_oom_kills} killed for memory" if self.num_oom_kills else "nobody killed"
        return (
            f"At most {say_amount(self.unreclaimable_bytes)} that cannot be dropped "
            f"({self.p_kill:.0%}), {self.p:.0%} needed with the model, level {self.level}, {kills}."
        )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _percent(share: float | None) -> str:
    return "   ?" if share is None else f"{share:4.0%}"
