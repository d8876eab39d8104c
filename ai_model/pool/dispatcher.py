"""The way from the line into an instance, and what those who still wait are told."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ai_model.engine.errors import EngineError, EngineNotReady, NoFreeInstance
from ai_model.pool.capacity import Capacity
from ai_model.pool.endings import Endings
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.eta import Eta
from ai_model.pool.generation import DoneReason, Generation, Reduction
from ai_model.pool.register import Register
from ai_model.pool.tasks import Tasks
from ai_model.pool.timers import Timers
from ai_model.prompt import PromptTooLong

logger = logging.getLogger(__name__)

RETRY_S = 0.02


class Dispatcher:
    """Gives instances to those who wait. Lives on the pool's loop; the pool ends ``tasks``.

    ``wake`` is called while somebody waits, to bring back a model that sleeps.
    """

    def __init__(
        self,
        *,
        register: Register,
        endings: Endings,
        engine: EngineLink,
        capacity: Capacity,
        timers: Timers,
        tasks: Tasks,
        wake: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._register = register
        self._endings = endings
        self._engine = engine
        self._capacity = capacity
        self._timers = timers
        self._tasks = tasks
        self._wake = wake
        self._clock = clock
        self._shown_places: tuple[str, list[str]] = ("", [])

    @property
    def is_ready(self) -> bool:
        """Whether there is a model to answer with."""
        return self._engine.is_ready and not self._register.admission.failure

    def dispatch(self) -> None:
        """Give free instances to those who have waited longest; tell the others their place."""
        now = self._clock()
        held, line = self._register.held, self._register.line
        if self.is_ready and not self._capacity.is_held:
            self._capacity.fit(num_running=len(held), num_waiting=len(line), now=now)
            while len(held) < self._capacity.size and (next_one := self._register.take_next(now)):
                self._tasks.spawn(self._begin(next_one))
        if line:
            self._wake()
        self._register.statistics.occupancy.set(len(held), self._capacity.size, now)
        self._show_places()

    def _show_places(self) -> None:
        reason = "" if self.is_ready else "loading"
        now = self._clock()
        waiting = self._register.waiting(now)
        places = (reason, [generation.id for generation in waiting])
        if places == self._shown_places:
            # Playing through what will happen costs milliseconds, and this is asked at every tick.
            return
        self._shown_places = places
        etas: list[Eta] = []
        if self.is_ready:
            etas = self._register.estimator.estimate_all(
                len(waiting), self._capacity.size, self._register.running(now)
            )
        for position, generation in enumerate(waiting, start=1):
            eta = etas[position - 1] if etas else None
            self._register.wait_record.promise(generation.id, eta, now)
            generation.show_place(position, len(waiting), eta, reason)

    async def _begin(self, generation: Generation) -> None:
        """Make the prompt of a generation that holds an instance, and give it to the engine."""
        request = generation.request
        try:
            opening = await self._engine.make_opening(request)
            generation.is_capped = opening.is_capped
            if not generation.is_ended and len(opening.produced) >= opening.max_tokens:
                # The earlier pool was lost between the last token and telling that it was the last.
                self._endings.conclude(generation, DoneReason.LENGTH)
            elif not generation.is_ended:
                generation.produced = opening.produced
                generation.num_dropped_turns = opening.prompt.num_dropped_turns
                if opening.has_short_memory:
                    generation.reduced = Reduction.HISTORY
                generation.num_prompt_tokens = len(opening.prompt.tokens)
                self._engine.submit(request, opening)
                return
        except (NoFreeInstance, EngineNotReady) as error:
            # Busy with its last answer, or with another model; lost engines end it themselves.
            if isinstance(error, NoFreeInstance):
                self._note_refusal()
            if not generation.is_ended:
                self._register.give_back(generation)
                self._timers.arm("retry", RETRY_S, self.dispatch)
                return
        except PromptTooLong as error:
            self._endings.fail(generation, "too_long", str(error), is_retryable=False)
        except (EngineError, ValueError) as error:
            self._endings.fail(generation, "internal", str(error))
        except Exception:
            logger.exception("Generation %s could not begin.", generation.id)
            self._endings.fail(generation, "internal", "The prompt could not be made.")
        self._register.release(generation)
        self.dispatch()

    def _note_refusal(self) -> None:
        snapshot = self._engine.snapshot()
        if snapshot is not None:
            self._capacity.note_refusal(len(snapshot.instances), self._clock())
