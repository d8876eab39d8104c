"""How many visitors of one address block may begin to ask in an hour.

Whoever drops their cookies is another visitor, with limits of their own; this is what that costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache.backends.base import BaseCache

from apps.ai_pool.limits.allowance import MARGIN_S, Allowance, give_back_to, wall_clock
from apps.ai_pool.limits.refusals import NEW_VISITORS

WINDOW_S = 3600


@dataclass(frozen=True, slots=True)
class Newcomers:
    """``limit`` different visitors of each block in an hour of the clock; 0 is no limit.
    Thread-safe."""

    limit: int
    clock: Callable[[], float] = wall_clock

    def admit(self, cache: BaseCache, block: str, visitor: str) -> None:
        """Let a visitor ask, who counts once. Raises OverLimit when the block has had too many."""
        if not block or self.limit <= 0:
            return
        window = int(self.clock() // WINDOW_S)
        key = f"newcomer:{block}:{visitor}:{window}"
        if cache.get(key) is not None:
            return
        # Counted before it is known: two questions at once must not both pass for free.
        taken = Allowance(NEW_VISITORS, self.limit, WINDOW_S, self.clock).take_from(cache, block)
        if not cache.add(key, 1, timeout=WINDOW_S + MARGIN_S):
            give_back_to(cache, taken.cache_key, 1)
