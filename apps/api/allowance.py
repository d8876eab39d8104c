"""How much one key may use: a count in Django's cache for each window of time.

Only operations are used that the cache does in one step (``add``, ``incr``), so no number of
threads or processes takes more than there is. With the cache in memory each process counts for
itself; with Redis all of them count together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import caches

MARGIN_S = 60


class OverLimit(Exception):
    """There is no more for now; ``retry_after_s`` says for how long."""

    def __init__(self, taken: Taken) -> None:
        super().__init__("over the limit")
        self.taken = taken
        self.retry_after_s = taken.reset_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is left behind one taking; ``reset_s`` are the seconds until all of it is there again.

    ``cache_key`` is where it was counted: what is given back belongs to the same window.
    """

    limit: int
    remaining: int
    reset_s: float
    cache_key: str = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """``limit`` units in each ``window_s`` seconds, for everybody apart. Thread-safe.

    Windows lie on the clock (each minute, each hour), so that all processes agree on them without
    talking. A ``limit`` of 0 is none.
    """

    name: str
    limit: int
    window_s: int
    clock: Callable[[], float] = time.time

    def take(self, who: str, amount: int = 1) -> Taken:
        """Take ``amount`` units. Raises OverLimit when there are less; then nothing is taken."""
        now = self.clock()
        window = int(now // self.window_s)
        reset_s = (window + 1) * self.window_s - now
        key = f"allowance:{self.name}:{who}:{window}"
        if self.limit <= 0:
            return Taken(limit=0, remaining=0, reset_s=reset_s)
        cache = caches["default"]
        cache.add(key, 0, timeout=self.window_s + MARGIN_S)
        used = self._add(key, amount)
        if used <= self.limit:
            return Taken(
                limit=self.limit, remaining=self.limit - used, reset_s=reset_s, cache_key=key
            )
        left = max(0, self.limit - self._add(key, -amount))
        raise OverLimit(Taken(limit=self.limit, remaining=left, reset_s=reset_s))

    def give_back(self, taken: Taken, amount: int) -> None:
        """Give back what was not needed; a window that is over has forgotten it."""
        if taken.cache_key and amount > 0:
            self._add(taken.cache_key, -amount)

    def _add(self, key: str, amount: int) -> int:
        try:
            return caches["default"].incr(key, amount)
        except ValueError:
            # It ran out between two steps; a count that is gone starts again with this one.
            caches["default"].add(key, max(0, amount), timeout=self.window_s + MARGIN_S)
            return max(0, amount)
