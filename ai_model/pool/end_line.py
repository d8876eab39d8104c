"""The line the pool process writes when a request has ended, under the id the browser gave it."""

from __future__ import annotations

import logging

from ai_model.log_format import facts
from ai_model.pool.generation import Generation

logger = logging.getLogger(__name__)


def log_end(generation: Generation, now: float) -> None:
    """Write it: ids, times, counts and the outcome; never text."""
    started_at, text_at = generation.instance_at, generation.first_text_at
    begin = generation.submitted_at
    logger.info(
        "request ended",
        extra=facts(
            gen=generation.id,
            conversation=generation.request.conversation,
            visitor=generation.request.visitor[:6],
            outcome=str(generation.outcome),
            code=generation.error_code or None,
            queue_ms=_ms(begin, now if started_at is None else started_at),
            ttft_ms=None if text_at is None else _ms(begin, text_at),
            total_ms=_ms(begin, now),
            prompt_tokens=generation.num_prompt_tokens,
            cached_tokens=generation.num_cached_tokens,
            new_tokens=generation.num_new_tokens,
            is_resumed=True if generation.request.produced else None,
            request=generation.request.request_id or None,
        ),
    )


def _ms(begin: float, end: float) -> int:
    return max(0, round((end - begin) * 1000))
