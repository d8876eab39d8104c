"""How tight memory is, in one word."""

from __future__ import annotations

from enum import StrEnum


class MemoryLevel(StrEnum):
    """From calm to emergency, in this order: ``LOW < MEDIUM < HIGH < CRITICAL``.

    Compares with its own kind and with the words themselves; any other word is a ValueError.
    """

    LOW = "low"
    MEDIUM = "medium"
    """Growth stops."""
    HIGH = "high"
    """Memory is saved hard."""
    CRITICAL = "critical"
    """Emergency mode: the kernel is close to killing something."""

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return _ORDER.index(self)

    @property
    def below(self) -> MemoryLevel:
        """One step calmer; low stays low."""
        return _ORDER[max(0, self.rank - 1)]

    def __lt__(self, other: str) -> bool:
        return self.rank < MemoryLevel(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= MemoryLevel(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > MemoryLevel(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= MemoryLevel(other).rank


_ORDER = tuple(MemoryLevel)
