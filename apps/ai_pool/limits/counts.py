"""Counts in the cache: all of several go up together, or none of them does.

Redis does that in one step of its own. In this process it is a step for each count, and what was
counted is taken back when a later one has no room: for a moment somebody else may see too much
counted, never too little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache.backends.base import BaseCache

from backend.redis_cache import SharedRedisCache

NUM_TRIES = 3
ADD_ALL = """
local function number(index) return tonumber(ARGV[index]) end
for i, key in ipairs(KEYS) do
    local used = tonumber(redis.call('GET', key) or '0')
    if used + number(3 * i - 2) > number(3 * i - 1) then return {i, used} end
end
local counts = {0}
for i, key in ipairs(KEYS) do
    counts[i + 1] = redis.call('INCRBY', key, ARGV[3 * i - 2])
    if redis.call('TTL', key) < 0 then redis.call('EXPIRE', key, ARGV[3 * i]) end
end
return counts
"""
"""Answers 0 and the new counts, or the number of the first one without room and its count."""
TAKE_BACK = """
for i, key in ipairs(KEYS) do
    if redis.call('EXISTS', key) == 1 then
        if redis.call('DECRBY', key, ARGV[i]) < 0 then redis.call('SET', key, 0, 'KEEPTTL') end
    end
end
"""


class Full(Exception):
    """The count with this index has no room; so much of it is used."""

    def __init__(self, index: int, used: int) -> None:
        super().__init__(f"count {index} is full")
        self.index = index
        self.used = used


@dataclass(frozen=True, slots=True)
class Count:
    """``amount`` more of what is counted under ``key``, up to ``limit`` within ``timeout_s``."""

    key: str
    amount: int
    limit: int
    timeout_s: int


def add_all(cache: BaseCache, counts: Sequence[Count]) -> list[int]:
    """Count more of everything; how much each is now. Raises Full; then nothing is counted."""
    if isinstance(cache, SharedRedisCache):
        given = [part for one in counts for part in (one.amount, one.limit, one.timeout_s)]
        first, *used = cache.run_script(ADD_ALL, [one.key for one in counts], given)
        if first:
            raise Full(first - 1, used[0])
        return used
    used = []
    for index, one in enumerate(counts):
        used.append(_add(cache, one))
        if used[-1] > one.limit:
            done = [(each.key, each.amount) for each in counts[: index + 1]]
            left = take_back(cache, done)
            raise Full(index, left)
    return used


def take_back(cache: BaseCache, owed: Sequence[tuple[str, int]]) -> int:
    """Count less of everything; what was forgotten meanwhile owes nothing. What is left of the
    last one, as far as that is known."""
    if isinstance(cache, SharedRedisCache):
        cache.run_script(TAKE_BACK, [key for key, _ in owed], [amount for _, amount in owed])
        return 0
    left = 0
    for key, amount in owed:
        left = _take_back(cache, key, amount)
    return left


def _add(cache: BaseCache, one: Count) -> int:
    """Count more; a count that begins, or ran out meanwhile, is at 0."""
    for _ in range(NUM_TRIES):
        try:
            return cache.incr(one.key, one.amount)
        except ValueError:
            cache.add(one.key, 0, timeout=one.timeout_s)
    # Whoever cannot be counted is over the limit.
    return one.limit + one.amount


def _take_back(cache: BaseCache, key: str, amount: int) -> int:
    try:
        left = cache.incr(key, -amount)
        # It began anew in between: what is given back must not make it larger than it is.
        return cache.incr(key, -left) if left < 0 else left
    except ValueError:
        return 0
