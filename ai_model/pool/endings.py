"""How generations end: each exactly once, in whatever state it is, and the books are right."""

from __future__ import annotations

from collections.abc import Callable

from ai_model.engine.events import Finished, FinishReason
from ai_model.pool.admission import DRAIN_RETRY_S
from ai_model.pool.deadlines import Deadline
from ai_model.pool.end_line import log_end
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.generation import DoneReason, Generation, GenerationState, Outcome
from ai_model.pool.register import Register

CODE_OF_DEADLINE = {
    Deadline.QUEUE: "queue_timeout",
    Deadline.FIRST_TOKEN: "first_token_timeout",
    Deadline.STALL: "stalled",
    Deadline.TOTAL: "deadline",
}
"""What an answer without a word ends with; one that has words ends as ``gen.done``."""


class Endings:
    """Ends the generations of one pool and counts the ends. Lives on the pool's loop.

    ``on_left_line`` is called when somebody left the line early, so that the others move up;
    ``on_ended`` with every generation whose terminal frame has just been written.
    """

    def __init__(
        self,
        *,
        register: Register,
        engine: EngineLink,
        on_left_line: Callable[[], None],
        on_ended: Callable[[Generation], None],
        clock: Callable[[], float],
    ) -> None:
        self._register = register
        self._engine = engine
        self._on_left_line = on_left_line
        self._on_ended = on_ended
        self._clock = clock

    def end_early(
        self,
        generation: Generation,
        reason: DoneReason,
        seen: int | None = None,
        *,
        is_cancelled: bool = False,
    ) -> None:
        """End a generation before it is complete: at once, or as soon as the engine lets go.

        ``seen`` is how many code points the visitor had; ``is_cancelled`` counts the end as the
        operator's and not the visitor's.
        """
        if generation.is_ended:
            return
        generation.request_end(reason, seen, is_cancelled=is_cancelled)
        if generation.state is GenerationState.WAITING:
            self._register.leave_line(generation)
            self.conclude(generation, reason)
            self._on_left_line()
        elif generation.id not in self._register.cancelled_at:
            self._register.cancelled_at[generation.id] = self._clock()
            self._engine.cancel(generation.id)
            if generation.state is GenerationState.STARTING:
                self.conclude(generation, reason)

    def take_end(self, generation: Generation, event: Finished) -> None:
        """The engine has let go of a generation, which may have got its end before."""
        if generation.is_ended:
            return
        if event.reason in (FinishReason.STOP, FinishReason.LENGTH):
            self.conclude(generation, DoneReason(event.reason.value), event)
        elif generation.ending is not None:
            self.conclude(generation, generation.ending, event)
        else:
            self.fail(generation, "internal", event.error or "The engine ended this answer.")

    def conclude(
        self, generation: Generation, reason: DoneReason, event: Finished | None = None
    ) -> None:
        """End a generation with what it has; an answer that is too late needs to have something."""
        now = self._clock()
        generation.flush(now)
        if generation.ending is DoneReason.DEADLINE and not generation.text:
            passed = Deadline(generation.passed_deadline or Deadline.TOTAL)
            text = f"The answer passed its {passed} deadline without a word."
            generation.fail(CODE_OF_DEADLINE[passed], text, now, outcome=Outcome.DEADLINE)
        else:
            generation.finish(reason, now, event)
        self._close_books(generation)

    def fail(
        self, generation: Generation, code: str, text: str, *, is_retryable: bool = True
    ) -> None:
        """End a generation with an error, unless it has an end."""
        if not generation.is_ended:
            generation.fail(code, text, self._clock(), is_retryable=is_retryable)
            self._close_books(generation)

    def expire(self, generation: Generation, text: str) -> None:
        """End a generation that has waited too long and is not in the line any more."""
        self._register.statistics.deadlines[Deadline.QUEUE] += 1
        code = CODE_OF_DEADLINE[Deadline.QUEUE]
        generation.fail(code, text, self._clock(), outcome=Outcome.EXPIRED)
        self._close_books(generation)

    def lose(self, generation: Generation, text: str) -> None:
        """End a generation that another pool may go on with."""
        self._register.leave_line(generation)
        now = self._clock()
        outcome = Outcome.POOL_LOST
        generation.fail("pool_lost", text, now, outcome=outcome, retry_after_s=DRAIN_RETRY_S)
        self._close_books(generation)

    def _close_books(self, generation: Generation) -> None:
        now = self._clock()
        self._register.close(generation, now)
        log_end(generation, now)
        self._on_ended(generation)
