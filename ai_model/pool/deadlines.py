"""Which limit of time a running generation has passed. Pure: times are monotonic seconds."""

from __future__ import annotations

from enum import StrEnum

from ai_model.pool.config import PoolConfig
from ai_model.pool.generation import Generation

PREFILL_PATIENCE = 3.0
"""A prompt may take this many times its predicted reading time."""
HUNG_S = 10.0
"""An engine without a heartbeat for this long that has not carried out a cancel is stuck."""
LEAKED_S = 60.0
"""An engine that has not carried out a cancel for this long is stuck, heartbeat or not."""


class Deadline(StrEnum):
    """The limits, from the line to the last token."""

    QUEUE = "queue"
    FIRST_TOKEN = "first_token"
    STALL = "stall"
    TOTAL = "total"


def passed_deadline(
    generation: Generation,
    now: float,
    config: PoolConfig,
    *,
    progress_at: float,
    prefill_s: float,
) -> Deadline | None:
    """Return the limit that a generation with an instance has passed, or None.

    ``progress_at`` is when the engine last showed progress on anything: a prompt may rightly wait
    while another one is read. ``prefill_s`` is the predicted time to read all prompts in work.
    """
    if generation.instance_at is None:
        return None
    if now - generation.instance_at >= config.total_timeout_s:
        return Deadline.TOTAL
    first_token_s = max(config.first_token_timeout_s, PREFILL_PATIENCE * prefill_s)
    if generation.first_token_at is None and now - generation.instance_at >= first_token_s:
        return Deadline.FIRST_TOKEN
    # A paced instance is silent between its tokens without being stuck.
    pause_s = 3 / config.max_tok_s if config.max_tok_s else 0.0
    if now - max(generation.instance_at, progress_at) >= max(config.stall_timeout_s, pause_s):
        return Deadline.STALL
    return None


def is_stuck(cancel_age_s: float, heartbeat_age_s: float) -> bool:
    """Return whether an engine that was told to cancel an answer will never do it."""
    return cancel_age_s >= LEAKED_S or min(cancel_age_s, heartbeat_age_s) >= HUNG_S
