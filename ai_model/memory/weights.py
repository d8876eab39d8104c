"""What the mapped model files need in memory to be read without the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

_KEEP_S = 10.0


class Weights:
    """Sums the sizes of the mapped files, each file once however many names or users it has.

    The size of the file and not what is resident: that shrinks just when memory gets short. Sizes
    are kept for 10 s. Not thread-safe.
    """

    def __init__(self, files: Callable[[], Iterable[Path]], clock: Callable[[], float]) -> None:
        self._files = files
        self._clock = clock
        self._known: tuple[Path, ...] = ()
        self._num_bytes = 0
        self._until = float("-inf")

    def num_bytes(self) -> int:
        """Return the bytes of all files; one that is gone counts nothing.

        Raises whatever ``files`` raises.
        """
        files = tuple(self._files())
        now = self._clock()
        if files != self._known or now >= self._until:
            self._known, self._num_bytes, self._until = files, _total(files), now + _KEEP_S
        return self._num_bytes


def _total(files: Iterable[Path]) -> int:
    sizes: dict[tuple[int, int], int] = {}
    for path in files:
        try:
            stat = os.stat(path)
        except (OSError, ValueError):
            continue
        sizes[stat.st_dev, stat.st_ino] = stat.st_size
    return sum(sizes.values())
