"""What an operator may do to a running pool: pause, drain, resize, restart, limit, cancel."""

from __future__ import annotations

import asyncio
import logging
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ai_model.engine.config import MAX_INSTANCES
from ai_model.pool.admission import DRAIN_RETRY_S
from ai_model.pool.capacity import Capacity
from ai_model.pool.config import PoolConfig
from ai_model.pool.control_result import ControlResult, Intake
from ai_model.pool.endings import Endings
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.errors import Paused, PoolUnavailable, UnknownGeneration
from ai_model.pool.eta import Eta
from ai_model.pool.generation import DoneReason, Generation
from ai_model.pool.orders import NO_ORDERS, Orders
from ai_model.pool.register import Register
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import ORPHAN_S
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit
from ai_model.pool.temporary_limits import TemporaryLimits
from ai_model.pool.waiting_request import WaitingRequest, short_name

logger = logging.getLogger(__name__)

PAUSE_RETRY_S = 60.0
SWITCH_LIMIT_S = 280.0
MAX_MESSAGE_CHARS = 500
MAX_LISTED = 1000
MAX_PATIENCE_S = 600.0
"""Longest time for which a restart may wait for running answers."""
EMERGENCY_TEXTS = {
    "auto": "The pool saves memory when it has to.",
    "on": "Emergency mode: answers are short, and no new conversation begins.",
    "off": "The pool saves no memory, however short it gets; the kernel may end it.",
}
DEFAULT_MESSAGE = "The assistant takes a break. Please try again later."


class Controls:
    """The operator's hands on one pool. Lives on the pool's loop, which is its lock.

    Every command may be given twice. ``orders`` is what an earlier process had been told and this
    one goes on with; ``on_orders`` is called with what the next one would have to be told, and
    ``on_restart`` when this process is to end for a new one (None: it cannot). ``on_change`` is
    called when the size has changed, ``use_limits`` with fields of ``config`` and their new values,
    ``use_emergency`` with the switch of the emergency mode.
    """

    def __init__(
        self,
        config: PoolConfig,
        *,
        register: Register,
        endings: Endings,
        engine: EngineLink,
        capacity: Capacity,
        on_change: Callable[[], None],
        clock: Callable[[], float],
        use_limits: Callable[[Mapping[str, int]], None] = lambda _: None,
        use_emergency: Callable[[str], None] = lambda _: None,
        orders: Orders = NO_ORDERS,
        on_orders: Callable[[Orders], None] = lambda _: None,
        on_restart: Callable[[], None] | None = None,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self.intake = orders.intake
        self.message = orders.message
        """What visitors are told while the pool is paused."""
        self._register = register
        self._endings = endings
        self._engine = engine
        self._capacity = capacity
        self._on_change = on_change
        self._clock = clock
        self._use_limits = use_limits
        self._use_emergency = use_emergency
        self._orders = orders
        self._on_orders = on_orders
        self._on_restart = on_restart
        self._restart_by: float | None = None
        self._has_ended = False
        self._switches: set[asyncio.Future[ControlResult]] = set()
        self._limits = TemporaryLimits(config, clock=clock, unix_time=unix_time)
        if orders.limits:
            self._limits.take_over(orders.limits)
            self._apply_limits()

    @property
    def is_restarting(self) -> bool:
        """Whether this process ends as soon as what runs has finished."""
        return self._restart_by is not None

    @property
    def limits(self) -> tuple[TemporaryLimit, ...]:
        """The limits that are changed for a while."""
        return self._limits.listed()

    def look(self) -> None:
        """Do what is due: let changed limits go back, end this process for a restart.

        To be called every few seconds at least, and often while a restart waits for answers.
        """
        over = self._limits.expire()
        if over:
            logger.info("Back at their usual values: %s.", ", ".join(over))
            self._apply_limits()
        if self._restart_by is None or self._on_restart is None or self._has_ended:
            return
        if not self._register.held or self._clock() >= self._restart_by:
            self._has_ended = True
            self._on_restart()

    def check(self, request: PoolRequest) -> None:
        """Raise why a request is not taken: Paused, PoolUnavailable; or return.

        Those whom an earlier pool had taken are none that come new.
        """
        self.look()
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
        self._use_limits(
            {
                "max_instances": num_instances,
                "hot_instances": min(self._capacity.configured_hot, num_instances),
            }
        )
        self._note_orders(max_instances=num_instances)
        self._on_change()
        text = f"At most {num_instances} questions are answered at the same time from now on."
        if len(self._register.held) > num_instances:
            text += f" {_requests(len(self._register.held))} still run and will finish."
        logger.info("%s", text)
        return self.result(text)

    async def switch_model(self, path: Path) -> ControlResult:
        """Answer with another model once what runs has finished; who waits keeps the place.

        Returns when it is in use, or with the reason for which the old one stays. Whoever does not
        wait for that does not change it.
        """
        switch = asyncio.ensure_future(self._switch_model(path))
        # The engine ends it when the pool is closed.
        self._switches.add(switch)
        switch.add_done_callback(self._switches.discard)
        return await asyncio.shield(switch)

    async def _switch_model(self, path: Path) -> ControlResult:
        logger.info("The model is to be switched to %s.", path)
        reason = await self._engine.switch_model(path, self._capacity.size, SWITCH_LIMIT_S)
        if reason:
            logger.warning("The model was not switched: %s", reason)
            return self.result(reason, is_done=False)
        self._note_orders(model_path=path)
        return self.result(f"{self._engine.model_label} answers from now on.")

    def limit(self, name: LimitName, value: int, seconds: float) -> ControlResult:
        """Have another limit for so many seconds; running answers keep theirs.

        Raises ValueError with a sentence.
        """
        self._limits.change(name, value, seconds)
        self._apply_limits()
        text = f"{name} is {value} for {_duration(seconds)}, then {self._usual(name)} again."
        logger.info("%s", text)
        return self.result(text)

    def unlimit(self, name: LimitName) -> ControlResult:
        """Let a limit go back to its usual value now."""
        if self._limits.undo(name):
            self._apply_limits()
            logger.info("The operator undid the change of %s.", name)
        return self.result(f"{name} is {self._usual(name)}, as usual.")

    def set_emergency(self, mode: str) -> ControlResult:
        """Begin the emergency mode, forbid it, or leave it to memory. Raises ValueError."""
        self._use_emergency(mode)
        self._note_orders(emergency=mode)
        return self.result(EMERGENCY_TEXTS[mode])

    def restart(self, patience_s: float) -> ControlResult:
        """End this process for a new one; what runs has so many seconds to finish.

        Who waits keeps the place, and what still runs then goes on in the new process. Nothing
        begins meanwhile. Raises ValueError.
        """
        if not 0 <= patience_s <= MAX_PATIENCE_S:
            raise ValueError(f"A restart waits 0 to {MAX_PATIENCE_S:.0f} s, not {patience_s:g}.")
        if self._on_restart is None:
            text = "This pool is a part of another program; restart that one."
            return self.result(text, is_done=False)
        by = self._clock() + patience_s
        self._restart_by = by if self._restart_by is None else min(by, self._restart_by)
        self._capacity.is_held = True
        num_running = len(self._register.held)
        text = "A new pool process starts now."
        if num_running and patience_s:
            text = (
                f"A new pool process starts when what runs has finished ({_requests(num_running)}),"
                f" in {_duration(patience_s)} at the latest."
            )
        logger.info("%s", text)
        result = self.result(text)
        self.look()
        return result

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

    def move_to_front(self, generation_id: str) -> ControlResult:
        """Let who waits be the next one. Raises UnknownGeneration."""
        if generation_id not in self._register.logs:
            raise UnknownGeneration(f"the pool does not know generation {generation_id}")
        generation = self._register.live.get(generation_id)
        if generation is None or not self._register.move_to_front(generation):
            return self.result("It does not wait any more.", is_done=False)
        logger.info("The operator moved generation %s to the front.", generation_id)
        self._on_change()
        if generation_id not in self._register.line:
            return self.result("It got a free instance at once.")
        order = [one.id for one in self._register.waiting(self._clock())]
        place = order.index(generation_id) + 1
        if place == 1:
            return self.result(f"It is the next of {len(order)} in line.")
        return self.result(
            f"It is at place {place} of {len(order)}: its visitor or network has as many answers "
            "running as it may have, and is the next as soon as one of them ends."
        )

    def cancel_orphans(self) -> ControlResult:
        """End the running answers that nobody has watched for some seconds; who waits stays."""
        orphans = [
            generation_id
            for generation_id, seconds in self._register.unwatched(self._clock()).items()
            if seconds >= ORPHAN_S
        ]
        for generation_id in orphans:
            self.cancel(generation_id)
        if not orphans:
            return self.result("Every running answer has a reader.")
        return self.result(f"Ended {_answers(len(orphans))} that nobody watched.")

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
        self._note_orders(intake=intake, message=self.message)
        return self.result(text)

    def _usual(self, name: LimitName) -> int:
        return self._limits.usual(name)

    def _apply_limits(self) -> None:
        self._use_limits({str(name): value for name, value in self._limits.values().items()})
        self._note_orders(limits=self._limits.orders())

    def _note_orders(self, **changes: Any) -> None:
        self._orders = replace(self._orders, **changes)
        self._on_orders(self._orders)

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
            limits=self._limits.listed(),
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


def _duration(seconds: float) -> str:
    """Return a length of time in words: 90 s, 5 min, 1 h 30 min."""
    minutes = round(seconds / 60)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def _answers(num: int) -> str:
    return f"{num} answer{'' if num == 1 else 's'}"


def _requests(num: int) -> str:
    return f"{num} request{'' if num == 1 else 's'}"
