"""What one question takes of the limits: of its visitor, their address block and their website."""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.cache.backends.base import BaseCache

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.relay import GenerationRelay
from apps.ai_chat.visitor import Visitor
from apps.ai_pool.limits import refusals
from apps.ai_pool.limits.allowance import Allowance, OverLimit
from apps.ai_pool.limits.answer_tokens import answer_tokens
from apps.ai_pool.limits.claim import Claim, Granted, give_back_all, take_all
from apps.ai_pool.limits.newcomers import Newcomers
from apps.ai_pool.limits.store import STORE, StoreAway

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
_LIMITS_OF_CODES = {"inflight_limit": refusals.CONCURRENT, "too_long": refusals.SIZE}
T = TypeVar("T")
TOKENS = frozenset({refusals.TOKENS, refusals.ADDRESS_TOKENS, refusals.SITE_TOKENS})


class Share:
    """What one question has taken. Belongs to one event loop; whoever has one must end it."""

    def __init__(self, granted: Iterable[Granted] = ()) -> None:
        self._granted = tuple(granted)

    async def cover(self, work: Awaitable[T]) -> T:
        """Wait for what the share was taken for, and return it; what fails costs nothing."""
        try:
            return await work
        except BaseException:
            await self.cancel()
            raise

    async def cancel(self) -> None:
        """The question was not asked after all: give everything back. Idempotent."""
        granted, self._granted = self._granted, ()
        await give_back_all(granted)

    async def settle(self, num_written: int) -> None:
        """The answer has ended: give back the tokens it did not need. Idempotent."""
        granted, self._granted = self._granted, ()
        await give_back_all(
            one.part(one.amount - num_written)
            for one in granted
            if one.claim.allowance.name in TOKENS
        )


async def take_share(visitor: Visitor) -> Share:
    """Take what a question of ``visitor`` may cost; never stops the event loop.

    Raises ``rate_limited`` with the time to wait, and ``store_away`` when nobody can tell what was
    used: then those who are not signed in have to wait, and the others are known.
    """
    if visitor.is_load_test:
        return Share()
    try:
        return Share(await STORE.arun(partial(_take, visitor)))
    except OverLimit as error:
        raise ChatError("rate_limited", retry_after_s=max(1, math.ceil(error.retry_after_s))) from (
            None
        )
    except StoreAway as error:
        if not visitor.is_anonymous:
            return Share()
        refusals.REFUSALS.count(refusals.STORE_AWAY)
        raise ChatError("store_away", retry_after_s=max(1, math.ceil(error.retry_after_s))) from (
            None
        )


async def take_share_once(visitor: Visitor, cid: uuid.UUID) -> Share:
    """The same for the question with this ``cid``; one that is stored and sent again costs
    nothing."""
    try:
        return await take_share(visitor)
    except ChatError:
        if not await database_sync_to_async(services.was_sent)(visitor=visitor, cid=cid):
            raise
        return Share()


def count_refusal(error: ChatError) -> None:
    """Count a refusal that the services decided on, if it is one by a limit."""
    if error.code in _LIMITS_OF_CODES:
        refusals.REFUSALS.count(_LIMITS_OF_CODES[error.code])


async def settle_at_end(share: Share, relay: GenerationRelay) -> None:
    """Give back what an answer did not need, once it has ended; at shutdown it goes on elsewhere,
    and keeps what was taken."""
    await relay.ended.wait()
    await share.settle(relay.num_written)


def _take(visitor: Visitor, cache: BaseCache) -> tuple[Granted, ...]:
    asker = visitor.asker
    if visitor.is_anonymous:
        newcomers = Newcomers(settings.CORRAL_NEW_VISITORS_PER_HOUR)
        newcomers.admit(cache, asker.address, asker.visitor)
    return take_all(cache, [claim for claim in _claims(visitor) if claim.allowance.limit > 0])


def _claims(visitor: Visitor) -> Iterator[Claim]:
    asker, tokens = visitor.asker, answer_tokens()
    share = settings.CORRAL_ADDRESS_SHARE if visitor.is_anonymous and asker.address else 0
    for limit, window_s in _message_limits(visitor):
        yield Claim(Allowance(refusals.MESSAGES, limit, window_s), asker.visitor)
        everybody = Allowance(refusals.ADDRESS_MESSAGES, limit * share, window_s)
        yield Claim(everybody, asker.address)
    for limit, window_s in _token_limits(visitor):
        yield Claim(Allowance(refusals.TOKENS, limit, window_s), asker.visitor, tokens)
        everybody = Allowance(refusals.ADDRESS_TOKENS, limit * share, window_s)
        yield Claim(everybody, asker.address, tokens)
    site = str(visitor.site_id or 0)
    per_minute = settings.CORRAL_SITE_MESSAGES_PER_MINUTE
    yield Claim(Allowance(refusals.SITE_MESSAGES, per_minute, MINUTE_S), site)
    for limit, window_s in (
        (settings.CORRAL_SITE_TOKENS_PER_HOUR, HOUR_S),
        (settings.CORRAL_SITE_TOKENS_PER_DAY, DAY_S),
    ):
        yield Claim(Allowance(refusals.SITE_TOKENS, limit, window_s), site, tokens)


def _message_limits(visitor: Visitor) -> Iterator[tuple[int, int]]:
    if visitor.is_program:
        return  # its key has limits of its own
    per_minute, per_hour = settings.CORRAL_MESSAGES_PER_MINUTE, settings.CORRAL_MESSAGES_PER_HOUR
    if visitor.is_anonymous:
        per_minute = _lower(per_minute, settings.CORRAL_ANONYMOUS_MESSAGES_PER_MINUTE)
        per_hour = _lower(per_hour, settings.CORRAL_ANONYMOUS_MESSAGES_PER_HOUR)
    yield per_minute, MINUTE_S
    yield per_hour, HOUR_S


def _token_limits(visitor: Visitor) -> Iterator[tuple[int, int]]:
    if visitor.is_program:
        return
    per_hour, per_day = settings.CORRAL_TOKENS_PER_HOUR, settings.CORRAL_TOKENS_PER_DAY
    if visitor.is_anonymous:
        per_hour = _lower(per_hour, settings.CORRAL_ANONYMOUS_TOKENS_PER_HOUR)
        per_day = _lower(per_day, settings.CORRAL_ANONYMOUS_TOKENS_PER_DAY)
    yield per_hour, HOUR_S
    yield per_day, DAY_S


def _lower(one: int, other: int) -> int:
    """The lower of two limits, where 0 is none."""
    return min(filter(None, (one, other)), default=0)
