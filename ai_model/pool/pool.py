"""The pool: takes requests, lets them wait in line, gives them to the engine, tells the outcome."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from ai_model.engine.errors import EngineError, EngineNotReady, NoFreeInstance
from ai_model.engine.events import Delta, EngineEvent, Finished, FinishReason, Progress, Started
from ai_model.pool.admission import DRAIN_RETRY_S, Admission
from ai_model.pool.config import PoolConfig
from ai_model.pool.deadlines import is_stuck, passed_deadline
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.engine_port import EngineFactory, make_engine
from ai_model.pool.errors import PoolError, UnknownGeneration
from ai_model.pool.eta import EtaEstimator
from ai_model.pool.event_log import EventLog
from ai_model.pool.generation import DoneReason, Generation, GenerationState, Outcome
from ai_model.pool.log_store import LogStore
from ai_model.pool.queue import WaitingLine
from ai_model.pool.request import PoolRequest
from ai_model.pool.statistics import Statistics
from ai_model.pool.status import PoolStatus
from ai_model.pool.status_report import report_status
from ai_model.pool.timers import Timers
from ai_model.prompt import PromptTooLong

logger = logging.getLogger(__name__)

TICK_S = 0.1
SWEEP_S = 60.0
RETRY_S = 0.02
CANCEL_PATIENCE_S = 1.0
"""A cancelled answer is ended for its reader after this time, even if the engine says nothing."""
START_GRACE_S = 5.0
"""After a start, a subscriber may come before the request it belongs to is submitted again."""


class Pool:
    """One engine with a line in front of it. Lives on one asyncio loop; that loop is its lock.

    ``on_answered`` is called after each complete answer. ``on_broken`` is called with a sentence
    when the engine is lost for good (stuck, or stopped by an error) and only a new process helps;
    without it the pool reports itself as failed. Every request that was taken gets exactly one
    terminal frame.
    """

    def __init__(
        self,
        config: PoolConfig,
        *,
        engine_factory: EngineFactory = make_engine,
        on_answered: Callable[[], None] = lambda: None,
        on_broken: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.logs = LogStore()
        self.line = WaitingLine(config.queue_size + config.max_instances)
        self.estimator = EtaEstimator()
        self.admission = Admission(config, self.estimator)
        self.statistics = Statistics()
        self.started_at = clock()
        self._engine = EngineLink(
            config,
            engine_factory,
            on_ready=self._dispatch,
            on_lost=self._lose_engine,
            on_event=self._take_event,
        )
        self._on_answered = on_answered
        self._on_broken = on_broken
        self._clock = clock
        self._live: dict[str, Generation] = {}
        """Generations without a terminal frame."""
        self._held: dict[str, Generation] = {}
        """Generations with an instance, ended or not."""
        self._cancelled_at: dict[str, float] = {}
        self._progress_at = clock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers = Timers()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closed = False

    async def start(self) -> None:
        """Begin loading the model; returns at once. Requests may be submitted from now on."""
        self.started_at = self._clock()
        self._spawn(self._engine.start())
        self._timers.arm("sweep", SWEEP_S, self._sweep)

    def submit(self, request: PoolRequest) -> None:
        """Take a request, or raise why not (a subclass of PoolError).

        A generation that is known already is not started again, whatever it has produced.
        """
        if request.generation in self.logs:
            return
        try:
            self.admission.check(
                request.visitor, num_waiting=len(self.line), num_free=self.num_free
            )
        except PoolError:
            self.statistics.num_refused += 1
            raise
        now = self._clock()
        self.admission.enter(request.visitor)
        self.statistics.num_accepted += 1
        log = self.logs.open(request.generation)
        self._live[request.generation] = Generation(request, log, now)
        self._idle.clear()
        self.line.push(request.generation, now + self.config.timeout_s)
        self._timers.arm("tick", TICK_S, self._tick)
        self._dispatch()

    def stop(self, generation_id: str, seen: int | None = None) -> None:
        """End a generation in whatever state it is. Idempotent. Raises UnknownGeneration."""
        if generation_id not in self.logs:
            raise UnknownGeneration(f"the pool does not know generation {generation_id}")
        generation = self._live.get(generation_id)
        if generation is not None:
            self._end_early(generation, DoneReason.USER_STOP, seen)

    def acknowledge(self, generation_id: str) -> None:
        """Note that an answer is stored. Unknown ones were forgotten already, which is fine."""
        self.logs.acknowledge(generation_id)

    async def find_log(self, generation_id: str) -> EventLog:
        """Return the log of a generation, waiting for it a few seconds after a pool start.

        Raises UnknownGeneration.
        """
        while (log := self.logs.find(generation_id)) is None:
            if self._is_closed or self._clock() - self.started_at >= START_GRACE_S:
                raise UnknownGeneration(f"the pool does not know generation {generation_id}")
            await asyncio.sleep(TICK_S)
        return log

    @property
    def is_ready(self) -> bool:
        """Whether there is a model to answer with."""
        return self._engine.is_ready and not self.admission.failure

    @property
    def is_asleep(self) -> bool:
        """Whether the model was given back until somebody asks."""
        return self._engine.is_asleep

    @property
    def num_free(self) -> int:
        """Instances that could take a request now."""
        return self.config.max_instances - len(self._held) if self.is_ready else 0

    @property
    def num_running(self) -> int:
        """Instances that are taken."""
        return len(self._held)

    def status(self) -> PoolStatus:
        """Say how the pool is doing. Never waits for the engine."""
        return report_status(self, self._engine.snapshot(), pid=os.getpid(), now=self._clock())

    async def drain(self, limit_s: float) -> None:
        """Take nothing more, end what waits, let what runs finish within ``limit_s`` seconds."""
        self.admission.is_closed = True
        for generation in list(self._live.values()):
            if generation.state is GenerationState.WAITING:
                self._lose(generation, "The pool is shutting down.")
        await self._wait_idle(limit_s)
        for generation in list(self._live.values()):
            self._end_early(generation, DoneReason.SHUTDOWN)
        await self._wait_idle(CANCEL_PATIENCE_S + 2 * TICK_S)

    async def close(self, timeout_s: float = 10.0) -> None:
        """End everything and give the engine back. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self.admission.is_closed = True
        for generation in list(self._live.values()):
            self._lose(generation, "The pool was closed.")
        self._timers.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._engine.close(timeout_s)

    # From the line into an instance.

    def _dispatch(self) -> None:
        """Give free instances to those who have waited longest; tell the others their place."""
        while self.num_free > 0 and (next_id := self.line.pop()) is not None:
            generation = self._live[next_id]
            now = self._clock()
            generation.take_instance(now)
            self._held[next_id] = generation
            self.statistics.waits.add(now - generation.submitted_at)
            self._spawn(self._begin(generation))
        if self.line:
            self._engine.wake()
        reason = "" if self.is_ready else "loading"
        for position, waiting in enumerate(self.line, start=1):
            eta = self.estimator.estimate(position, self.config.max_instances)
            self._live[waiting].show_place(position, len(self.line), eta, reason)

    async def _begin(self, generation: Generation) -> None:
        """Make the prompt of a generation that holds an instance, and give it to the engine."""
        request = generation.request
        limits = (request.sampling.max_tokens, self.config.max_tokens, self._engine.n_ctx // 2)
        max_tokens = min(limits)
        if len(request.produced) >= max_tokens:
            # The earlier pool was lost between the last token and telling that it was the last.
            self._conclude(generation, DoneReason.LENGTH)
        else:
            try:
                prompt = await self._engine.make_prompt(request, max_tokens)
                if not generation.is_ended:
                    generation.num_dropped_turns = prompt.num_dropped_turns
                    generation.num_prompt_tokens = len(prompt.tokens)
                    self._engine.submit(request, prompt, max_tokens)
                    return
            except (NoFreeInstance, EngineNotReady):
                # Busy with its last answer, or with another model; lost engines end it themselves.
                if not generation.is_ended:
                    self._return_to_line(generation)
                    return
            except PromptTooLong as error:
                self._fail(generation, "too_long", str(error), is_retryable=False)
            except (EngineError, ValueError) as error:
                self._fail(generation, "internal", str(error))
            except Exception:
                logger.exception("Generation %s could not begin.", generation.id)
                self._fail(generation, "internal", "The prompt could not be made.")
        self._release(generation)
        self._dispatch()

    def _return_to_line(self, generation: Generation) -> None:
        """Undo taking an instance: the engine is still busy with its last answer."""
        self._release(generation)
        generation.give_instance_back()
        deadline = generation.submitted_at + self.config.timeout_s
        self.line.push_front(generation.id, deadline)
        self._timers.arm("retry", RETRY_S, self._dispatch)

    # What the engine tells.

    def _take_event(self, generation_id: str, event: EngineEvent) -> None:
        now = self._progress_at = self._clock()
        generation = self._held.get(generation_id)
        if generation is None:
            return
        if isinstance(event, Finished):
            self._release(generation)
            self.estimator.record_run(now - (generation.instance_at or now))
            self._take_end(generation, event)
            self._dispatch()
        elif generation.is_ended:
            return
        elif isinstance(event, Delta):
            self._take_delta(generation, event, now)
        elif isinstance(event, Started):
            generation.start(event, self._engine.model_label)
        elif isinstance(event, Progress):
            generation.progress(event)

    def _take_delta(self, generation: Generation, event: Delta, now: float) -> None:
        is_first = generation.first_text_at is None
        due_in_s = generation.add(event, now)
        if is_first and generation.first_text_at is not None:
            self.statistics.ttfts.add(now - generation.submitted_at)
        if due_in_s is None:
            self._timers.drop(generation.id)
        else:
            self._timers.arm(generation.id, due_in_s, partial(self._flush, generation))

    def _flush(self, generation: Generation) -> None:
        generation.flush(self._clock())

    def _take_end(self, generation: Generation, event: Finished) -> None:
        if generation.is_ended:
            return
        if event.reason in (FinishReason.STOP, FinishReason.LENGTH):
            self._conclude(generation, DoneReason(event.reason.value), event)
        elif generation.ending is not None:
            self._conclude(generation, generation.ending, event)
        else:
            self._fail(generation, "internal", event.error or "The engine ended this answer.")

    def _lose_engine(self, reason: str) -> None:
        """There is no model (any more), and every request must be told."""
        if self._is_closed:
            return
        if self._engine.is_ready and self._on_broken is not None:
            self._on_broken(reason)
            return
        self.admission.failure = reason
        for generation in list(self._live.values()):
            is_waiting = self.line.remove(generation.id)
            code = "no_model" if is_waiting else "internal"
            self._fail(generation, code, reason, is_retryable=not is_waiting)
        self._held.clear()
        self._cancelled_at.clear()

    # Ends.

    def _end_early(
        self, generation: Generation, reason: DoneReason, seen: int | None = None
    ) -> None:
        """End a generation before it is complete: at once, or as soon as the engine lets go."""
        generation.request_end(reason, seen)
        if generation.state is GenerationState.WAITING:
            self.line.remove(generation.id)
            self._conclude(generation, reason)
            self._dispatch()
        elif generation.id not in self._cancelled_at:
            self._cancelled_at[generation.id] = self._clock()
            self._engine.cancel(generation.id)
            if generation.state is GenerationState.STARTING:
                self._conclude(generation, reason)

    def _conclude(
        self, generation: Generation, reason: DoneReason, event: Finished | None = None
    ) -> None:
        """End a generation with what it has; an answer that is too late needs to have something."""
        now = self._clock()
        generation.flush(now)
        if generation.ending is DoneReason.DEADLINE and not generation.text:
            text = "The answer took too long."
            generation.fail("deadline", text, now, outcome=Outcome.DEADLINE)
        else:
            generation.finish(reason, now, event)
        self._close_books(generation)

    def _fail(
        self, generation: Generation, code: str, text: str, *, is_retryable: bool = True
    ) -> None:
        if not generation.is_ended:
            generation.fail(code, text, self._clock(), is_retryable=is_retryable)
            self._close_books(generation)

    def _lose(self, generation: Generation, text: str) -> None:
        """End a generation that another pool may go on with."""
        self.line.remove(generation.id)
        now = self._clock()
        outcome = Outcome.POOL_LOST
        generation.fail("pool_lost", text, now, outcome=outcome, retry_after_s=DRAIN_RETRY_S)
        self._close_books(generation)

    def _close_books(self, generation: Generation) -> None:
        """Count a generation whose terminal frame has just been written."""
        assert generation.outcome is not None
        self._timers.drop(generation.id)
        del self._live[generation.id]
        self.admission.leave(generation.request.visitor)
        self.logs.end(generation.id, self._clock())
        self.statistics.outcomes[generation.outcome] += 1
        if not self._live:
            self._idle.set()
        if generation.outcome in (Outcome.DONE, Outcome.LENGTH):
            self._on_answered()

    def _release(self, generation: Generation) -> None:
        """Take the instance back; the engine has let go of it, or never had the request."""
        self._held.pop(generation.id, None)
        self._cancelled_at.pop(generation.id, None)

    # Time.

    def _tick(self) -> None:
        """Look after deadlines while there is anything to look after."""
        now = self._clock()
        for late in self.line.expire(now):
            text = f"No instance became free within {self.config.timeout_s:.0f} s."
            self._live[late].fail("queue_timeout", text, now, outcome=Outcome.EXPIRED)
            self._close_books(self._live[late])
        if self._held:
            self._check_held(now)
        self._dispatch()
        if self._live or self._held:
            self._timers.arm("tick", TICK_S, self._tick)

    def _check_held(self, now: float) -> None:
        snapshot = self._engine.snapshot()
        speed = 0.0 if snapshot is None else snapshot.prefill_tok_s
        num_tokens = sum(generation.num_prompt_tokens for generation in self._held.values())
        prefill_s = num_tokens / speed if speed > 0 else 0.0
        for generation in list(self._held.values()):
            if generation.id in self._cancelled_at:
                self._check_cancel(generation, now - self._cancelled_at[generation.id])
                continue
            deadline = passed_deadline(
                generation,
                now,
                self.config,
                progress_at=self._progress_at,
                prefill_s=prefill_s,
            )
            if deadline is not None:
                logger.warning("Generation %s passed its %s deadline.", generation.id, deadline)
                self._end_early(generation, DoneReason.DEADLINE)

    def _check_cancel(self, generation: Generation, age_s: float) -> None:
        """Do not wait for ever for an engine to carry out a cancel."""
        if not generation.is_ended and age_s >= CANCEL_PATIENCE_S:
            self._conclude(generation, generation.ending or DoneReason.USER_STOP)
        snapshot = self._engine.snapshot()
        heartbeat_age_s = 0.0 if snapshot is None else snapshot.heartbeat_age_s
        if is_stuck(age_s, heartbeat_age_s):
            reason = f"The engine has not ended an answer for {age_s:.0f} s; restart the pool."
            logger.error(reason)
            self._lose_engine(reason)

    def _sweep(self) -> None:
        self.logs.sweep(self._clock())
        self._timers.arm("sweep", SWEEP_S, self._sweep)

    async def _wait_idle(self, limit_s: float) -> None:
        try:
            await asyncio.wait_for(self._idle.wait(), limit_s)
        except TimeoutError:
            logger.info("%d answers still ran after %.0f s.", len(self._live), limit_s)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
