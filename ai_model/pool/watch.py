"""The watch over generations that hold an instance: deadlines, and cancels the engine ignores."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ai_model.pool.config import PoolConfig
from ai_model.pool.deadlines import is_stuck, passed_deadline
from ai_model.pool.endings import Endings
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.generation import DoneReason, Generation
from ai_model.pool.listener import Listener
from ai_model.pool.register import Register

logger = logging.getLogger(__name__)

CANCEL_PATIENCE_S = 1.0
"""A cancelled answer is ended for its reader after this time, even if the engine says nothing."""


class Watch:
    """Ends what takes too long. Times are monotonic seconds. Lives on the pool's loop.

    ``on_stuck`` is called with a sentence when the engine will never end an answer by itself.
    """

    def __init__(
        self,
        config: PoolConfig,
        *,
        register: Register,
        endings: Endings,
        engine: EngineLink,
        listener: Listener,
        on_stuck: Callable[[str], None],
    ) -> None:
        self._config = config
        self._register = register
        self._endings = endings
        self._engine = engine
        self._listener = listener
        self._on_stuck = on_stuck

    def check(self, now: float) -> None:
        """Look after everything that holds an instance."""
        if not self._register.held:
            return
        prefill_s = self._predicted_prefill_s()
        for generation in list(self._register.held.values()):
            cancelled_at = self._register.cancelled_at.get(generation.id)
            if cancelled_at is not None:
                if self._is_given_up(generation, now - cancelled_at):
                    return  # everything else that was held has its end by now
                continue
            deadline = passed_deadline(
                generation,
                now,
                self._config,
                progress_at=self._listener.progress_at,
                prefill_s=prefill_s,
            )
            if deadline is not None:
                self._register.statistics.deadlines[deadline] += 1
                logger.warning("Generation %s passed its %s deadline.", generation.id, deadline)
                generation.passed_deadline = deadline
                self._endings.end_early(generation, DoneReason.DEADLINE)

    def _predicted_prefill_s(self) -> float:
        """Return the seconds that reading all prompts in work should take; 0 when unknown."""
        snapshot = self._engine.snapshot()
        speed = 0.0 if snapshot is None else snapshot.prefill_tok_s
        num_tokens = sum(one.num_prompt_tokens for one in self._register.held.values())
        return num_tokens / speed if speed > 0 else 0.0

    def _is_given_up(self, generation: Generation, age_s: float) -> bool:
        """Do not wait for ever for an engine to carry out a cancel; returns whether it is stuck."""
        if not generation.is_ended and age_s >= CANCEL_PATIENCE_S:
            self._endings.conclude(generation, generation.ending or DoneReason.USER_STOP)
        snapshot = self._engine.snapshot()
        heartbeat_age_s = 0.0 if snapshot is None else snapshot.heartbeat_age_s
        if not is_stuck(age_s, heartbeat_age_s):
            return False
        reason = f"The engine has not ended an answer for {age_s:.0f} s; restart the pool."
        logger.error(reason)
        self._on_stuck(reason)
        return True
