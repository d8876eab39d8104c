"""What an answer takes of the limits of the key it is written for."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.ai_chat.errors import ChatError
from apps.ai_chat.relay import GenerationRelay
from apps.ai_pool.limits.allowance import OverLimit
from apps.api.models import ApiKey
from apps.api.spending import BUSY_RETRY_S, Spending, TooManyRunning

LONGEST_ANSWER = 512
"""Tokens that are counted for an answer whose length nobody has limited, until it has ended."""


async def begin_bill(key: ApiKey) -> Spending:
    """Take what one answer may need. Raises ``rate_limited`` and ``inflight_limit``."""
    num_tokens = int(settings.CORRAL_MAX_TOKENS) or LONGEST_ANSWER
    try:
        return await Spending.begin_aside(key, num_tokens)
    except TooManyRunning:
        raise ChatError("inflight_limit", retry_after_s=BUSY_RETRY_S) from None
    except OverLimit as error:
        raise ChatError("rate_limited", retry_after_s=error.retry_after_s) from None


async def settle_at_end(spending: Spending, relay: GenerationRelay) -> None:
    """Give back what the answer did not need, once it has ended."""
    try:
        await relay.ended.wait()
    finally:
        await spending.settle_aside(num_written(relay))


def num_written(relay: GenerationRelay) -> int:
    """Tokens of an answer, as far as they are known."""
    usage: dict[str, Any] = (relay.log[-1].get("usage") or {}) if relay.log else {}
    return int(usage.get("completion") or len(relay.exchange.tokens))
