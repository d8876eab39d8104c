"""Places for what somebody may have open at the same time, counted wherever the cache is shared.

A place is an entry of the cache that ``add`` makes in one step, so no number of threads or
processes takes more than there are. It has an end of its own: a process that was killed gives
nothing back, and must not hold a place for ever.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.core.cache.backends.base import BaseCache

from apps.ai_pool.limits.refusals import REFUSALS


class NoPlace(Exception):
    """All places are taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that was taken: where it is noted, and by whom. Empty where there is no limit."""

    cache_key: str = ""
    holder: str = ""

    def leave(self, cache: BaseCache) -> None:
        """Give it back, unless it has ended and is somebody else's by now. Idempotent."""
        if self.cache_key and cache.get(self.cache_key) == self.holder:
            cache.delete(self.cache_key)


@dataclass(frozen=True, slots=True)
class Places:
    """``number`` places for everybody apart; 0 is no limit. Thread-safe.

    ``name`` is one of refusals.LIMITS, where everybody is counted who gets none. ``lasts_s`` must
    be longer than anybody needs a place: after that it is free again.
    """

    name: str
    number: int
    lasts_s: float

    def take_from(self, cache: BaseCache, who: str) -> Place:
        """Take a place. Raises NoPlace."""
        if self.number <= 0:
            return Place()
        keys = [f"place:{self.name}:{who}:{index}" for index in range(self.number)]
        taken = cache.get_many(keys)
        holder = uuid.uuid4().hex
        for key in keys:
            # Somebody else may have been quicker since the look at all of them.
            if key not in taken and cache.add(key, holder, timeout=self.lasts_s):
                return Place(key, holder)
        REFUSALS.count(self.name)
        raise NoPlace
