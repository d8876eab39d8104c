"""Notices when the words of a running answer stop coming."""

from __future__ import annotations

import statistics
from collections import deque
from typing import Any

MIN_STALL_S = 3.0
STALL_GAPS = 6
"""So many usual gaps between two pieces of text are a stall too."""
MAX_GAPS = 64
SLOW_STALL_S = 30.0
SLOW_GAP_S = 1.5
MIN_GAPS = 8
"""Before so many gaps nothing is called slow."""


class TokenClock:
    """Measures the gaps of one answer. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=MAX_GAPS)
        self._last_text: float | None = None
        self._last_sign: float | None = None

    def hear(self, frame: dict[str, Any], now: float) -> None:
        """Take a frame of the answer."""
        kind = frame["type"]
        if kind == "gen.delta":
            if self._last_text is not None:
                self._gaps.append(now - self._last_text)
            self._last_text = self._last_sign = now
        elif kind == "gen.started" or (kind == "gen.progress" and frame.get("phase") == "prompt"):
            self._last_sign = now
        elif kind in ("gen.queue", "gen.progress"):
            # It waits, or its pool is away: the visitor is told so in other words.
            self._last_text = self._last_sign = None

    def stalled_s(self, now: float) -> float | None:
        """For how long nothing came, if that is longer than it should be."""
        if self._last_sign is None:
            return None
        usual = statistics.median(self._gaps) if self._gaps else 0.0
        silent = now - self._last_sign
        return silent if silent > max(MIN_STALL_S, STALL_GAPS * usual) else None

    def is_slow(self, now: float) -> bool:
        """True if the visitor should be told that it is not their line."""
        if len(self._gaps) >= MIN_GAPS and statistics.median(self._gaps) > SLOW_GAP_S:
            return True
        stalled = self.stalled_s(now)
        return stalled is not None and stalled >= SLOW_STALL_S
