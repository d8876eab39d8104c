"""Several allowances that one question needs: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from django.core.cache.backends.base import BaseCache

from apps.ai_pool.limits.allowance import Allowance, Taken
from apps.ai_pool.limits.counts import Full, add_all, take_back
from apps.ai_pool.limits.store import STORE, StoreAway


@dataclass(frozen=True, slots=True)
class Claim:
    """``amount`` of one allowance for ``who``."""

    allowance: Allowance
    who: str
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Granted:
    """A claim that was granted, or the part of it that is to be given back."""

    claim: Claim
    taken: Taken
    amount: int

    def part(self, amount: int) -> Granted:
        """Return as much of it as ``amount``, never more than there is."""
        return replace(self, amount=max(0, min(amount, self.amount)))


def take_all(cache: BaseCache, claims: Sequence[Claim]) -> tuple[Granted, ...]:
    """Take every claim that has a limit. Raises OverLimit; then nothing is taken."""
    limited = [claim for claim in claims if claim.allowance.limit > 0]
    counts = [claim.allowance.count_of(claim.who, claim.amount) for claim in limited]
    try:
        used = add_all(cache, counts) if counts else []
    except Full as full:
        raise limited[full.index].allowance.over(full.used) from None
    return tuple(
        Granted(claim, claim.allowance.taken(count, number), claim.amount)
        for claim, count, number in zip(limited, counts, used, strict=True)
    )


async def give_back_all(granted: Iterable[Granted]) -> None:
    """Give everything back that is named; with the store away it comes back with its window."""
    owed = [one for one in granted if one.amount and one.taken.cache_key]
    if owed:
        with suppress(StoreAway):
            await STORE.arun(partial(_give_back, owed))


def _give_back(granted: Iterable[Granted], cache: BaseCache) -> None:
    take_back(cache, [(one.taken.cache_key, one.amount) for one in granted])
