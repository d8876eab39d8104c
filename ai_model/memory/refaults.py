"""How fast file pages are dropped and read again: the sign that the model no longer fits."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class RefaultRate:
    """Turns a counter of pages into bytes a second between two readings. Not thread-safe."""

    def __init__(self) -> None:
        self._place: Path | None = None
        self._num_pages = 0
        self._at = 0.0

    def bytes_s(self, place: Path, num_pages: int | None, now: float) -> float:
        """Return the rate since the last call for the same ``place``; 0 on the first.

        A counter that is not told (None) or went backwards counts as no refaults.
        """
        if num_pages is None:
            self._place = None
            return 0.0
        elapsed = now - self._at
        is_known = self._place == place and elapsed > 0
        rate = max(0, num_pages - self._num_pages) * _PAGE_BYTES / elapsed if is_known else 0.0
        self._place, self._num_pages, self._at = place, num_pages, now
        return rate
