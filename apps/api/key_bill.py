"""What an answer takes of the limits of the key it is written for."""

from __future__ import annotations

from apps.ai_chat.errors import ChatError
from apps.ai_chat.relay import GenerationRelay
from apps.ai_pool.limits.allowance import OverLimit
from apps.ai_pool.limits.answer_tokens import answer_tokens
from apps.api.models import ApiKey
from apps.api.spending import BUSY_RETRY_S, Spending, TooManyRunning


async def begin_bill(key: ApiKey) -> Spending:
    """Take what one answer may need. Raises ``rate_limited`` and ``inflight_limit``."""
    try:
        return await Spending.begin_aside(key, answer_tokens())
    except TooManyRunning:
        raise ChatError("inflight_limit", retry_after_s=BUSY_RETRY_S) from None
    except OverLimit as error:
        raise ChatError("rate_limited", retry_after_s=error.retry_after_s) from None


async def settle_at_end(spending: Spending, relay: GenerationRelay) -> None:
    """Give back what the answer did not need, once it has ended."""
    try:
        await relay.ended.wait()
    finally:
        await spending.settle_aside(relay.num_written)
