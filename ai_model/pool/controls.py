"""What an operator may do to a running pool: pause, drain, resize, switch the model, cancel."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable
from pathlib import Path

from ai_model.engine.config import MAX_INSTANCES
from ai_model.pool.admission import DRAIN_RETRY_S
from ai_model.pool.capacity import Capacity
from ai_model.pool.control_result import ControlResult, Intake
from ai_model.pool.endings import Endings
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.errors import Paused, PoolUnavailable, UnknownGeneration
from ai_model.pool.eta import Eta
from ai_model.pool.generation import DoneReason, Generation
from ai_model.pool.register import Register
from ai_model.pool.request import PoolRequest
from ai_model.pool.waiting_request import WaitingRequest, short_name

logger = logging.getLogger(__name__)

PAUSE_RETRY_S = 60.0
SWITCH_LIMIT_S = 280.0
MAX_MESSAGE_CHARS = 500
MAX_LISTED = 1000
DEFAULT_MESSAGE = "The assistant takes a break. Please try again later."


class Controls:
    """The operator's hands on one pool. Lives on the pool's loop, which is its lock.

    Every command may be given twice. Nothing of it outlives the pool process: a new one begins
    open, with the configured size and model. ``on_change`` is called when the size has changed.
    """

    def __init__(
        self,
        *,
        register: Register,
        endings: Endings,
        engine: EngineLink,
        capacity: Capacity,
        on_change: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.intake = Intake.OPEN
        self.message = ""
        """What visitors are told while the pool is paused."""
        self._register = register
        self._endings = endings
        self._engine = engine
        self._capacity = capacity
        self._on_change = on_change
        self._clock = clock

    def check(self, request: PoolRequest) -> None:
        """Raise why a request is not taken: Paused, PoolUnavailable; or return.

        Those whom an earlier pool had taken are none that come new.
        """
        if request.is_resumed or request.produced:
            return
        if self.intake is Intake.PAUSED:
            raise Paused(self.message, retry_after_s=PAUSE_RETRY_S)
        if self.intake is Intake.DRAINING:
            raise PoolUnavailable("The pool takes nothing new.", retry_after_s=DRAIN_RETRY_S)

    def pause(self, message: str = "") -> ControlResult:
        """Refuse what comes, telling visitors ``message``; what waits and runs goes on."""
        self.message = _one_line(message) or DEFAULT_MESSAGE
        return self._change_intake(Intake.PAUSED, f"Paused; visitors are told: {self.message}")

    def resume(self) -> ControlResult:
        """Take requests again after pause() or drain()."""
        self.message = ""
        return self._change_intake(Intake.OPEN, "Open: questions are taken.")

    def drain(self) -> ControlResult:
        """Take nothing new and finish what waits and runs, until resume()."""
        self.message = ""
        num_left = len(self._register.live)
        text = f"Draining: nothing new is taken; {_requests(num_left)} will be finished."
        return self._change_intake(Intake.DRAINING, text if num_left else "Drained: it is empty.")

    def resize(self, num_instances: int) -> ControlResult:
        """Have at most ``num_instances`` from now on; running answers go on. Raises ValueError."""
        if not 1 <= num_instances <= MAX_INSTANCES:
            raise ValueError(f"a pool has 1 to {MAX_INSTANCES} instances, not {num_instances}")
        self._capacity.set_limit(num_instances)
        self._on_change()
        text = f"At most {num_instances} questions are answered at the same time from now on."
        if len(self._register.held) > num_instances:
            text += f" {_requests(len(self._register.held))} still run and will finish."
        logger.info("%s", text)
        return self.result(text)

    async def switch_model(self, path: Path) -> ControlResult:
        """Answer with another model once what runs has finished; who waits keeps the place.

        Returns when it is in use, or with the reason for which the old one stays.
        """
        logger.info("The model is to be switched to %s.", path)
        reason = await self._engine.switch_model(path, self._capacity.size, SWITCH_LIMIT_S)
        if reason:
            logger.warning("The model was not switched: %s", reason)
            return self.result(reason, is_done=False)
        return self.result(f"{self._engine.model_label} answers from now on.")

    def cancel(self, generation_id: str) -> ControlResult:
        """End a generation in whatever state it is. Raises UnknownGeneration."""
        if generation_id not in self._register.logs:
            raise UnknownGeneration(f"the pool does not know generation {generation_id}")
        generation = self._register.live.get(generation_id)
        if generation is None:
            return self.result("It has ended already.")
        self._endings.end_early(generation, DoneReason.USER_STOP, is_cancelled=True)
        logger.info("The operator cancelled generation %s.", generation_id)
        return self.result("Cancelled.")

    def end_unwatched(self, num_wanted: int, grace_s: float) -> int:
        """End up to ``num_wanted`` generations that nobody has followed for ``grace_s`` seconds.

        Those without a reader for longest go first. Returns how many were ended.
        """
        now = self._clock()
        unwatched = sorted(
            (generation.audience.unwatched_since, generation.id)
            for generation in self._register.live.values()
            if generation.audience.unwatched_since is not None
            and generation.ending is None
            and now - generation.audience.unwatched_since >= grace_s
        )[: max(0, num_wanted)]
        for _, generation_id in unwatched:
            self.cancel(generation_id)
        return len(unwatched)

    def list_waiting(self) -> tuple[WaitingRequest, ...]:
        """Return those in line, the next one first, at most 1000 of them; never their texts."""
        now = self._clock()
        waiting = self._register.waiting(now)[:MAX_LISTED]
        etas = self._register.estimator.estimate_all(
            len(waiting), self._capacity.size, self._register.running(now)
        )
        return tuple(
            self._describe(position, generation, etas[position - 1] if etas else None, now)
            for position, generation in enumerate(waiting, start=1)
        )

    @staticmethod
    def _describe(
        position: int, generation: Generation, eta: Eta | None, now: float
    ) -> WaitingRequest:
        return WaitingRequest(
            position=position,
            generation=generation.id,
            visitor=short_name(generation.request.visitor),
            waited_s=round(now - generation.submitted_at, 1),
            eta_p50_s=None if eta is None else round(eta.p50, 1),
            eta_p90_s=None if eta is None else round(eta.p90, 1),
        )

    def _change_intake(self, intake: Intake, text: str) -> ControlResult:
        if intake is not self.intake:
            logger.info("The pool's intake is %s.", intake)
        self.intake = intake
        return self.result(text)

    def result(self, text: str, *, is_done: bool = True) -> ControlResult:
        """Return ``text`` together with how the pool stands."""
        return ControlResult(
            text=text,
            is_done=is_done,
            intake=self.intake,
            message=self.message,
            model=self._engine.model_label,
            num_instances=self._capacity.size,
            max_instances=self._capacity.limit,
            num_running=len(self._register.held),
            num_waiting=len(self._register.line),
        )


def _one_line(message: str) -> str:
    """Return a message without line breaks and control characters, and not too long."""
    kept = "".join(
        char if unicodedata.category(char)[0] != "C" else " "
        for char in message[: 4 * MAX_MESSAGE_CHARS]
    )
    line = " ".join(kept.split())[:MAX_MESSAGE_CHARS]
    # What is no sentence might be taken for a technical name on its way to the visitor.
    return f"{line}." if line and line[-1].isalnum() else line


def _requests(num: int) -> str:
    return f"{num} request{'' if num == 1 else 's'}"
