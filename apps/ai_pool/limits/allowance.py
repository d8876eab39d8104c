"""How much of something anybody may use: a count in Django's cache for each window of time.

Only operations are used that the cache does in one step (``add``, ``incr``), so no number of
threads or processes takes more than there is. With the cache in memory each process counts for
itself; with Redis all of them count together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from django.core.cache.backends.base import BaseCache

from apps.ai_pool.limits.counts import Count, Full, add_all, take_back
from apps.ai_pool.limits.refusals import REFUSALS
from apps.ai_pool.limits.store import STORE, StoreAway

MARGIN_S = 60


def wall_clock() -> float:
    """Seconds since 1970: what all processes, on all machines, agree on."""
    return time.time()


class OverLimit(Exception):
    """There is no more for now; ``retry_after_s`` says for how long.

    ``name`` is that of the allowance.
    """

    def __init__(self, taken: Taken, name: str = "") -> None:
        super().__init__("over the limit")
        self.taken = taken
        self.retry_after_s = taken.reset_s
        self.name = name


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

    ``name`` is one of refusals.LIMITS, where everybody is counted who gets none.
    Windows lie on the clock (each minute, each hour), so that all processes agree on them without
    talking. A ``limit`` of 0 is none. ``take`` and ``give_back`` may wait for the cache, their
    twins ``atake`` and ``agive_back`` never stop the event loop. Taking raises StoreAway when the
    shared cache does not answer; giving back then does nothing: it comes back with its window.
    """

    name: str
    limit: int
    window_s: int
    clock: Callable[[], float] = wall_clock

    def take(self, who: str, amount: int = 1) -> Taken:
        """Take ``amount`` units. Raises OverLimit when there are less; then nothing is taken."""
        return self._no_limit() if self.limit <= 0 else STORE.run(self._taking(who, amount))

    async def atake(self, who: str, amount: int = 1) -> Taken:
        """The same, for the event loop."""
        return self._no_limit() if self.limit <= 0 else await STORE.arun(self._taking(who, amount))

    def give_back(self, taken: Taken, amount: int) -> None:
        """Give back what was not needed; a window that is over has forgotten it."""
        if taken.cache_key and amount > 0:
            with suppress(StoreAway):
                STORE.run(partial(give_back_to, key=taken.cache_key, amount=amount))

    async def agive_back(self, taken: Taken, amount: int) -> None:
        """The same, for the event loop."""
        if taken.cache_key and amount > 0:
            with suppress(StoreAway):
                await STORE.arun(partial(give_back_to, key=taken.cache_key, amount=amount))

    def take_from(self, cache: BaseCache, who: str, amount: int = 1) -> Taken:
        """``take`` for whoever has the cache in hand already."""
        if self.limit <= 0:
            return self._no_limit()
        count = self.count_of(who, amount)
        try:
            (used,) = add_all(cache, [count])
        except Full as full:
            raise self.over(full.used) from None
        return self.taken(count, used)

    def count_of(self, who: str, amount: int) -> Count:
        """What is counted for ``who`` now."""
        window = int(self.clock() // self.window_s)
        key = f"allowance:{self.name}:{self.window_s}:{who}:{window}"
        return Count(key, amount, self.limit, self.window_s + MARGIN_S)

    def taken(self, count: Count, used: int) -> Taken:
        """What is left now that so much is ``used``."""
        return Taken(
            limit=self.limit,
            remaining=max(0, self.limit - used),
            reset_s=self._reset_s(),
            cache_key=count.key,
        )

    def over(self, used: int) -> OverLimit:
        """The refusal of somebody who wants more than is left; it is counted."""
        REFUSALS.count(self.name)
        left = max(0, self.limit - used)
        return OverLimit(
            Taken(limit=self.limit, remaining=left, reset_s=self._reset_s()), self.name
        )

    def _taking(self, who: str, amount: int) -> Callable[[BaseCache], Taken]:
        return partial(self.take_from, who=who, amount=amount)

    def _no_limit(self) -> Taken:
        return Taken(limit=0, remaining=0, reset_s=self._reset_s())

    def _reset_s(self) -> float:
        return self.window_s - self.clock() % self.window_s


def give_back_to(cache: BaseCache, key: str, amount: int) -> None:
    """Give back what was taken, to the count it was taken from; one that was forgotten meanwhile
    owes nothing."""
    take_back(cache, [(key, amount)])
