"""One thing the doctor has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    GOOD = "good"
    NOTE = "note"
    """Worth knowing; nothing is wrong."""
    WARNING = "warning"
    """It works, and worse than it could, or not for long."""
    ERROR = "error"
    """Something does not work or is not safe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about one thing, and what to do about it."""

    id: str
    """Stays the same from version to version, for scripts: threads-above-quota."""
    level: Level
    sentence: str
    fix: str = ""
    """What to do; empty only where nothing is to be done."""

    def __post_init__(self) -> None:
        if not self.fix and self.level is not Level.GOOD:
            raise ValueError(f"the finding {self.id} does not say what to do")


def good(id: str, sentence: str) -> Finding:
    """A thing that is as it should be."""
    return Finding(id, Level.GOOD, sentence)
