"""How much work waits for memory: the kernel's pressure-stall information (PSI)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ai_model.kernel_file import UnreadableFile, read_text


@dataclass(frozen=True, slots=True)
class Stall:
    """Percent of the last 10 s; None where the kernel does not tell."""

    some_avg10: float | None = None
    full_avg10: float | None = None


def read_stall(path: Path) -> Stall:
    """Read a ``memory.pressure`` or ``/proc/pressure/memory`` file; never raises."""
    try:
        text = read_text(path)
    except (FileNotFoundError, UnreadableFile):
        return Stall()
    averages = {line.partition(" ")[0]: _avg10(line) for line in text.splitlines()}
    return Stall(averages.get("some"), averages.get("full"))


def _avg10(line: str) -> float | None:
    for word in line.split():
        if word.startswith("avg10="):
            try:
                return float(word.removeprefix("avg10="))
            except ValueError:
                return None
    return None
