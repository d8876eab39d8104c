"""What one request takes of its key's limits, from before it is asked until it has ended."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from django.conf import settings
from django.core.cache.backends.base import BaseCache

from apps.ai_pool.limits import refusals
from apps.ai_pool.limits.allowance import Allowance, OverLimit, Taken, give_back_to
from apps.ai_pool.limits.claim import Claim, Granted, take_all
from apps.ai_pool.limits.store import STORE, StoreAway
from apps.api.models import ApiKey
from apps.api.places import NoPlace, Place, Places

log = logging.getLogger(__name__)

BUSY_RETRY_S = 1.0
MARGIN_S = 60.0
_KINDS = {refusals.KEY_REQUESTS: "requests", refusals.KEY_TOKENS: "tokens"}
"""What OpenAI's API calls our limits."""
_tasks: set[asyncio.Future[None]] = set()
"""Holds what gives back, so that nothing is lost before it has ended."""


class TooManyRunning(Exception):
    """The key has as many requests open as it may have."""


class Spending:
    """One request's share. Whoever has one must settle it. Thread-safe.

    ``begin`` and ``settle`` may wait for the cache; in a coroutine use ``begin_aside`` and
    ``settle_aside``, which never stop the event loop. While a shared cache is away nothing is
    counted: keys are known, and the pool has limits of its own.
    """

    def __init__(self, place: Place | None = None, granted: Iterable[Granted] = ()) -> None:
        self._place = place or Place()
        self._granted = tuple(granted)
        self._is_settled = False
        self._lock = threading.Lock()

    @classmethod
    def begin(cls, key: ApiKey, num_tokens: int) -> Spending:
        """Count a request that may write ``num_tokens``. Raises OverLimit and TooManyRunning."""
        try:
            return STORE.run(partial(cls._take, key, num_tokens))
        except StoreAway:
            return cls._uncounted()

    @classmethod
    async def begin_aside(cls, key: ApiKey, num_tokens: int) -> Spending:
        """The same for the event loop. Who is cancelled meanwhile has taken nothing in the end."""
        begun = asyncio.ensure_future(STORE.arun(partial(cls._take, key, num_tokens)))
        try:
            return await asyncio.shield(begun)
        except StoreAway:
            return cls._uncounted()
        except asyncio.CancelledError:
            # It is taken all the same; nobody is left to give it back.
            begun.add_done_callback(_settle_unused)
            raise

    def settle(self, num_written: int) -> None:
        """Give back what was not needed. Idempotent."""
        # What cannot be given back ends by itself.
        with suppress(StoreAway):
            STORE.run(partial(self._give_back, num_written))

    async def settle_aside(self, num_written: int) -> None:
        """The same for the event loop; it is done whoever is cancelled meanwhile."""
        if self._is_settled:
            return
        settling = asyncio.ensure_future(STORE.arun(partial(self._give_back, num_written)))
        _tasks.add(settling)
        settling.add_done_callback(_forget)
        with suppress(StoreAway):
            await asyncio.shield(settling)

    def headers(self) -> dict[str, str]:
        """What is left, as clients of OpenAI's API read it."""
        told: dict[str, str] = {}
        for one in self._granted:
            told |= rate_headers(_KINDS[one.claim.allowance.name], one.taken)
        return told

    @classmethod
    def _take(cls, key: ApiKey, num_tokens: int, cache: BaseCache) -> Spending:
        who = str(key.pk)
        try:
            place = _places(key).take_from(cache, who)
        except NoPlace:
            raise TooManyRunning from None
        try:
            # As many tokens as it may have; what it does not need comes back.
            requests = Allowance(refusals.KEY_REQUESTS, key.requests_per_minute, 60)
            tokens = Allowance(refusals.KEY_TOKENS, key.tokens_per_hour, 3600)
            claims = [Claim(requests, who), Claim(tokens, who, num_tokens)]
            return cls(place, take_all(cache, claims))
        except BaseException:
            place.leave(cache)
            raise

    @classmethod
    def _uncounted(cls) -> Spending:
        refusals.REFUSALS.count(refusals.STORE_AWAY)
        return cls()

    def _give_back(self, num_written: int, cache: BaseCache) -> None:
        with self._lock:
            if self._is_settled:
                return
            self._is_settled = True
        try:
            for one in self._granted:
                is_tokens = one.claim.allowance.name == refusals.KEY_TOKENS
                unused = one.amount - num_written if is_tokens else 0
                if unused > 0 and one.taken.cache_key:
                    give_back_to(cache, one.taken.cache_key, unused)
        finally:
            self._place.leave(cache)


def over_limit_headers(error: OverLimit) -> dict[str, str]:
    """What is told about the limit that a request was over."""
    return rate_headers(_KINDS[error.name], error.taken)


def rate_headers(kind: str, taken: Taken) -> dict[str, str]:
    """Headers about one limit; none where there is no limit."""
    if not taken.limit:
        return {}
    return {
        f"x-ratelimit-limit-{kind}": str(taken.limit),
        f"x-ratelimit-remaining-{kind}": str(taken.remaining),
        f"x-ratelimit-reset-{kind}": f"{taken.reset_s:.0f}s",
    }


def _settle_unused(begun: asyncio.Future[Spending]) -> None:
    if not begun.cancelled() and begun.exception() is None:
        settling = asyncio.ensure_future(begun.result().settle_aside(0))
        _tasks.add(settling)
        settling.add_done_callback(_forget)


def _forget(task: asyncio.Future[None]) -> None:
    _tasks.discard(task)
    # Looked at, so that nobody calls it lost: what cannot be given back ends by itself.
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, StoreAway):
        log.error("What a request did not need was not given back.", exc_info=error)


def _places(key: ApiKey) -> Places:
    longest_ms = settings.CORRAL_TIMEOUT_MS + settings.CORRAL_TOTAL_TIMEOUT_MS
    return Places(refusals.KEY_RUNNING, key.max_running, longest_ms / 1000 + MARGIN_S)
