"""How long something that should show life regularly has been silent. Pure."""

from __future__ import annotations


class Silence:
    """Adds up the seconds without a sign of life.

    Only time in which the observer itself was awake counts: after a suspended machine or a frozen
    container wakes up, both sides get a fresh chance. ``max_gap_s`` is the longest time between
    two looks that is still taken for being awake, in seconds.
    """

    def __init__(self, max_gap_s: float) -> None:
        self.seconds = 0.0
        self._max_gap_s = max_gap_s
        self._looked_at: float | None = None

    def since_last_look(self, now: float) -> float:
        """Return the seconds since the last look, 0 before the first one."""
        return 0.0 if self._looked_at is None else now - self._looked_at

    def look(self, now: float, *, is_alive: bool) -> float:
        """Note what was seen at the monotonic second ``now``; returns ``seconds``."""
        gap_s = min(self.since_last_look(now), self._max_gap_s)
        self._looked_at = now
        self.seconds = 0.0 if is_alive else self.seconds + gap_s
        return self.seconds
