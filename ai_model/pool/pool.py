"""The pool: takes requests, lets them wait in line, gives them to the engine, tells the outcome."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ai_model.engine.errors import EngineNotReady
from ai_model.pool.capacity import Capacity
from ai_model.pool.config import PoolConfig
from ai_model.pool.control_result import Intake
from ai_model.pool.controls import Controls
from ai_model.pool.dispatcher import Dispatcher
from ai_model.pool.endings import Endings
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.engine_port import EngineFactory, make_engine
from ai_model.pool.errors import NoModel, PoolError, UnknownGeneration
from ai_model.pool.event_log import EventLog
from ai_model.pool.generation import DoneReason, Generation, GenerationState, Outcome
from ai_model.pool.history import History
from ai_model.pool.listener import Listener
from ai_model.pool.loading import Loading
from ai_model.pool.memory_rounds import MemoryRounds
from ai_model.pool.memory_watch import MemoryWatch, Sensor
from ai_model.pool.orders import NO_ORDERS, Orders
from ai_model.pool.register import Register
from ai_model.pool.request import PoolRequest
from ai_model.pool.restarts import NO_RESTARTS, Restarts
from ai_model.pool.rounds import TICK_S, Rounds
from ai_model.pool.status import PoolState, PoolStatus
from ai_model.pool.status_report import report_status
from ai_model.pool.tasks import Tasks
from ai_model.pool.timers import Timers
from ai_model.pool.warm_ups import WarmUps
from ai_model.pool.watch import CANCEL_PATIENCE_S, Watch
from ai_model.sandbox.sandbox import NOT_CONFINED, Confinement

START_GRACE_S = 5.0
"""After a start, a subscriber may come before the request it belongs to is submitted again."""

MappedFiles = Callable[[], Iterable[Path]]
"""Names the model files whose pages are in use."""


class Pool:
    """One engine with a line in front of it. Lives on one asyncio loop; that loop is its lock.

    ``on_answered`` is called after each complete answer. ``on_broken`` is called with a sentence
    when the engine is lost for good (stuck, or stopped by an error) and only a new process helps;
    without it the pool reports itself as failed. ``orders``, ``on_orders`` and ``on_restart`` are
    those of Controls. ``sensor`` reads memory, once a second and more often; without it the pool
    saves none by itself. Every request that was taken gets exactly one terminal frame.
    """

    def __init__(
        self,
        config: PoolConfig,
        *,
        engine_factory: EngineFactory = make_engine,
        on_answered: Callable[[], None] = lambda: None,
        on_broken: Callable[[str], None] | None = None,
        restarts: Restarts = NO_RESTARTS,
        orders: Orders = NO_ORDERS,
        on_orders: Callable[[Orders], None] = lambda _: None,
        on_restart: Callable[[], None] | None = None,
        sensor: Callable[[MappedFiles], Sensor] | None = None,
        confinement: Confinement = NOT_CONFINED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        """Its limits as they are now; the operator may change some of them."""
        self.started_at = clock()
        self.restarts = restarts
        """The earlier processes of this pool."""
        self.confinement = confinement
        """What its process has given up; only told."""
        self.history = History()
        """The last two hours, a sample every ten seconds."""
        self._on_answered = on_answered
        self._on_broken = on_broken
        self._clock = clock
        self._is_closed = False
        self._timers = Timers()
        self._tasks = Tasks()
        register = self._register = Register(config)
        self.logs, self.line, self.statistics = register.logs, register.line, register.statistics
        self.admission, self.estimator = register.admission, register.estimator
        engine = self._engine = EngineLink(
            config,
            engine_factory,
            on_ready=self._note_ready,
            on_lost=self._lose_engine,
            on_event=lambda generation, event: self._listener.take(generation, event),
        )
        capacity = self._capacity = Capacity(config, resize=engine.resize)
        endings = self._endings = Endings(
            register=register,
            engine=engine,
            on_left_line=self._dispatch,
            on_ended=self._note_end,
            clock=clock,
        )
        self._dispatcher = Dispatcher(
            register=register,
            endings=endings,
            engine=engine,
            capacity=capacity,
            timers=self._timers,
            tasks=self._tasks,
            wake=lambda: self._loading.wake(),
            clock=clock,
        )
        self._listener = Listener(
            register=register,
            endings=endings,
            engine=engine,
            timers=self._timers,
            on_freed=self._dispatch,
            clock=clock,
        )
        watch = Watch(
            config,
            register=register,
            endings=endings,
            engine=engine,
            listener=self._listener,
            on_stuck=self._lose_engine,
        )
        self.controls = Controls(
            config,
            register=register,
            endings=endings,
            engine=engine,
            capacity=capacity,
            on_change=self._dispatch,
            clock=clock,
            use_limits=self._use_limits,
            use_emergency=lambda mode: self.memory.switch(mode),
            orders=orders,
            on_orders=on_orders,
            on_restart=on_restart,
        )
        """What an operator may do."""
        self.memory = MemoryWatch(
            config,
            None if sensor is None else sensor(engine.mapped_files),
            register=register,
            endings=endings,
            engine=engine,
            capacity=capacity,
            tasks=self._tasks,
            on_change=self._dispatch,
            on_dying=on_broken,
            clock=clock,
        )
        """How tight memory is, and what that switches."""
        self._memory_rounds = MemoryRounds(self.memory, self._timers)
        self._loading = Loading(
            config,
            memory=self.memory,
            capacity=capacity,
            engine=engine,
            is_size_given=orders.max_instances is not None,
            use_limits=self._use_limits,
            clock=clock,
        )
        self._warm_ups = WarmUps(
            register=register, engine=engine, capacity=capacity, tasks=self._tasks
        )

        self._rounds = Rounds(
            config,
            register=register,
            endings=endings,
            watch=watch,
            controls=self.controls,
            timers=self._timers,
            dispatch=self._dispatch,
            observe=self._observe,
            clock=clock,
        )

    async def start(self) -> None:
        """Begin loading the model; returns at once. Requests may be submitted from now on."""
        self.started_at = self._clock()
        self._tasks.spawn(self._loading.run())
        self._memory_rounds.begin()
        self._rounds.begin()

    # What web processes ask.

    def submit(self, request: PoolRequest) -> None:
        """Take a request, or raise why not (a subclass of PoolError).

        A generation that is known already is not started again, whatever it has produced.
        """
        if request.generation in self.logs:
            return
        try:
            if not self.admission.is_closed:
                self.controls.check(request)
            self._register.open(
                request,
                self._clock(),
                num_free=self.num_free,
                num_instances=self._capacity.size,
            )
        except PoolError as error:
            self._register.refuse(error)
            raise
        self._rounds.wake()
        self._dispatch()

    def stop(self, generation_id: str, seen: int | None = None) -> None:
        """End a generation in whatever state it is. Idempotent. Raises UnknownGeneration."""
        if generation_id not in self.logs:
            raise UnknownGeneration(f"the pool does not know generation {generation_id}")
        generation = self._register.live.get(generation_id)
        if generation is not None:
            self._endings.end_early(generation, DoneReason.USER_STOP, seen)

    def acknowledge(self, generation_id: str) -> None:
        """Note that an answer is stored. Unknown ones were forgotten already, which is fine."""
        self.logs.acknowledge(generation_id)

    def warm(self, request: PoolRequest) -> bool:
        """Read a conversation in idle time; returns whether an instance is idle for it.

        It is never in line, is in no count and has no log.
        """
        if self._is_closed or self.admission.is_closed or self.controls.intake is not Intake.OPEN:
            return False
        if not self.memory.economy.has_warm_ups:
            return False
        return self._warm_ups.begin(request)

    async def find_log(self, generation_id: str) -> EventLog:
        """Return the log of a generation, waiting for it a few seconds after a pool start.

        Raises UnknownGeneration.
        """
        while (log := self.logs.find(generation_id)) is None:
            if self._is_closed or self._clock() - self.started_at >= START_GRACE_S:
                raise UnknownGeneration(f"the pool does not know generation {generation_id}")
            await asyncio.sleep(TICK_S)
        return log

    @contextlib.contextmanager
    def watching(self, generation_id: str, client: Hashable = None) -> Iterator[None]:
        """Count a follower of a generation; its leaving ends nothing."""
        generation = self._register.live.get(generation_id)
        if generation is not None:
            generation.audience.join(client)
        try:
            yield
        finally:
            if generation is not None:
                generation.audience.leave(client, self._clock())

    def count_viewers(self, generation_id: str, num_viewers: int, client: Hashable) -> None:
        """Note for how many people ``client`` follows a generation; ended ones need nobody."""
        generation = self._register.live.get(generation_id)
        if generation is not None:
            generation.audience.count(client, num_viewers, self._clock())

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes in a prompt. Raises NoModel while none is loaded."""
        try:
            return await self._engine.count_tokens(text)
        except EngineNotReady as error:
            raise NoModel(f"No model is loaded: {error}.") from None

    # How it is doing.

    @property
    def is_ready(self) -> bool:
        """Whether there is a model to answer with."""
        return self._dispatcher.is_ready

    @property
    def is_asleep(self) -> bool:
        """Whether the model was given back until somebody asks."""
        return self._engine.is_asleep

    @property
    def num_free(self) -> int:
        """Instances that could take a request now, those made on demand included."""
        free = self._capacity.reachable - len(self._register.held)
        return max(0, free) if self.is_ready else 0

    @property
    def num_instances(self) -> int:
        """Instances there are now."""
        return self._capacity.size

    @property
    def num_running(self) -> int:
        """Instances that are taken."""
        return len(self._register.held)

    def status(self) -> PoolStatus:
        """Say how the pool is doing. Never waits for the engine."""
        now = self._clock()
        intake = self.controls.intake
        status = report_status(
            self,
            self._engine.snapshot(),
            pid=os.getpid(),
            now=now,
            num_instances=self._capacity.size,
            hot_instances=self._capacity.hot or self._capacity.limit,
            paused_notice=self.controls.message if intake is Intake.PAUSED else None,
            is_draining=intake is Intake.DRAINING,
            is_restarting=self.controls.is_restarting,
            limits=self.controls.limits,
            running=self._register.running(now),
            unwatched=self._register.unwatched(now),
            eta=self._register.wait_record.figures(),
            waiting_tokens=self.line.waiting_cost,
            oldest_wait_s=max(
                (now - one.submitted_at for one in self._register.waiting(now)), default=0.0
            ),
        )
        if status.state is PoolState.LOADING:
            status = replace(status, reason=self._loading.why_waiting() or status.reason)
        return replace(status, memory=self.memory.fill(status.memory))

    # The end.

    async def finish(self, limit_s: float) -> None:
        """Take nothing more, end what waits, let what runs finish within ``limit_s`` seconds."""
        self.admission.is_closed = True
        for generation in list(self._register.live.values()):
            if generation.state is GenerationState.WAITING:
                self._endings.lose(generation, "The pool is shutting down.")
        await self._register.wait_until_empty(limit_s)
        for generation in list(self._register.live.values()):
            self._endings.end_early(generation, DoneReason.SHUTDOWN)
        await self._register.wait_until_empty(CANCEL_PATIENCE_S + 2 * TICK_S)

    async def close(self, timeout_s: float = 10.0) -> None:
        """End everything and give the engine back. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self.admission.is_closed = True
        for generation in list(self._register.live.values()):
            self._endings.lose(generation, "The pool was closed.")
        self._memory_rounds.close()
        self._timers.close()
        await self._tasks.close()
        await self._engine.close(timeout_s)

    def _use_limits(self, values: Mapping[str, Any]) -> None:
        """Have other values in some fields of the configuration from now on."""
        self.config = replace(self.config, **values)
        self.admission.use(self.config)
        self._engine.use(self.config)

    def _note_ready(self) -> None:
        """A model is there."""
        self._loading.choose_size()
        self.memory.note_ready()
        self._dispatch()

    def _note_end(self, generation: Generation) -> None:
        self._timers.drop(generation.id)
        self.memory.note_answer()
        if generation.outcome in (Outcome.DONE, Outcome.LENGTH):
            self._on_answered()

    def _lose_engine(self, reason: str) -> None:
        """There is no model (any more), and every request must be told."""
        if self._is_closed:
            return
        if self._engine.is_ready and self._on_broken is not None:
            self._on_broken(reason)
            return
        self.admission.failure = reason
        for generation in list(self._register.live.values()):
            is_waiting = self._register.leave_line(generation)
            code = "no_model" if is_waiting else "internal"
            self._endings.fail(generation, code, reason, is_retryable=not is_waiting)
        self._register.release_all()

    def _dispatch(self) -> None:
        self._dispatcher.dispatch()

    def _observe(self) -> None:
        self.history.observe(self.status(), self._clock(), unix_s=time.time())
