"""The books of one pool: who is admitted, waits, holds an instance, has ended; and all logs."""

from __future__ import annotations

import asyncio
import logging

from ai_model.pool.admission import Admission
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolError
from ai_model.pool.eta import EtaEstimator, Running
from ai_model.pool.fair_queue import FairQueue, Ticket
from ai_model.pool.generation import Generation, Outcome
from ai_model.pool.latencies import Latency
from ai_model.pool.log_store import LogStore
from ai_model.pool.request import PoolRequest
from ai_model.pool.statistics import Statistics
from ai_model.pool.wait_record import Wait, WaitRecord

logger = logging.getLogger(__name__)


class Register:
    """Knows every generation that was taken. Times are monotonic seconds. Lives on one loop."""

    def __init__(self, config: PoolConfig) -> None:
        self.logs = LogStore()
        self.line = FairQueue(config.max_running_per_visitor)
        self.estimator = EtaEstimator()
        self.wait_record = WaitRecord()
        self.admission = Admission(config, self.estimator)
        self.statistics = Statistics()
        self.live: dict[str, Generation] = {}
        """Generations without a terminal frame."""
        self.held: dict[str, Generation] = {}
        """Generations with an instance, ended or not."""
        self._tickets: dict[str, Ticket] = {}
        """Of those who hold an instance: what brings them back to their place in line."""
        self.cancelled_at: dict[str, float] = {}
        """When the engine was told to end a generation whose instance it still has."""
        self._timeout_s = config.timeout_s
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def open(
        self, request: PoolRequest, now: float, *, num_free: int, num_instances: int = 0
    ) -> None:
        """Let an unknown request into the line, or raise why not (a subclass of PoolError).

        ``num_free`` counts instances that could take a request now.
        """
        cost = self.admission.cost(request)
        is_resumed = request.is_resumed or bool(request.produced)
        self.admission.check(
            request.visitor,
            address=request.address,
            priority=request.priority,
            num_waiting=len(self.line),
            num_free=num_free,
            cost=cost,
            waiting_cost=self.line.waiting_cost,
            is_resumed=is_resumed,
            num_instances=num_instances,
            running=self.running(now),
            is_beginning=request.is_beginning,
        )
        self.admission.enter(request.visitor, address=request.address, priority=request.priority)
        self.statistics.num_accepted += 1
        log = self.logs.open(request.generation)
        self.live[request.generation] = Generation(request, log, now)
        self._is_empty.clear()
        self.line.push(
            Ticket(
                generation=request.generation,
                visitor=request.visitor,
                address=request.address,
                priority=request.priority,
                cost=cost,
                submitted_at=now,
                deadline=now + self._timeout_s,
                is_resumed=is_resumed,
            )
        )

    def refuse(self, error: PoolError) -> None:
        """Count a request that was not taken."""
        self.statistics.refuse(error.code, error.reason)

    def take_next(self, now: float) -> Generation | None:
        """Reserve an instance for the next in line and return it; None when nobody waits."""
        ticket = self.line.pop(now)
        if ticket is None:
            return None
        generation = self.live[ticket.generation]
        generation.take_instance(now)
        self.held[generation.id] = generation
        self._tickets[generation.id] = ticket
        return generation

    def give_back(self, generation: Generation) -> None:
        """Let a generation return to its place in line: it was served too early."""
        # Before release(), which would end its part in the line.
        self.line.give_back(self._tickets[generation.id])
        self.release(generation)
        generation.give_instance_back()

    def leave_line(self, generation: Generation) -> bool:
        """Take a generation out of the line; returns whether it was in it."""
        return self.line.remove(generation.id)

    def move_to_front(self, generation: Generation) -> bool:
        """Let a generation be the next in line; returns whether it was in it."""
        return self.line.move_to_front(generation.id)

    def unwatched(self, now: float) -> dict[str, float]:
        """Return those with an instance whom nobody reads, and for how many seconds."""
        return {
            generation.id: now - generation.audience.unwatched_since
            for generation in self.held.values()
            if generation.audience.unwatched_since is not None and generation.ending is None
        }

    def expire(self, now: float) -> list[Generation]:
        """Take those out of the line who have waited too long, and return them."""
        return [self.live[late.generation] for late in self.line.expire(now)]

    def waiting(self, now: float) -> list[Generation]:
        """Return those in line, the next one first."""
        return [self.live[ticket.generation] for ticket in self.line.order(now)]

    def running(self, now: float) -> list[Running]:
        """Return how far those are that hold an instance."""
        return [
            Running(
                age_s=now - (now if generation.instance_at is None else generation.instance_at),
                num_generated=generation.num_tokens,
                num_prompt_left=generation.num_prompt_tokens if not generation.num_tokens else 0,
            )
            for generation in self.held.values()
        ]

    def learn(self, wait: Wait | None) -> None:
        """Let the next promises profit from the outcome of one."""
        if wait is not None:
            self.estimator.record_wait(wait.promised, wait.seconds)
            error_s = abs(wait.seconds - wait.promised.p50)
            self.statistics.latencies.add(Latency.ETA_ERROR, error_s)

    def release(self, generation: Generation, now: float | None = None) -> None:
        """Take the instance back; the engine has let go of it (``now``), or never had it."""
        self.held.pop(generation.id, None)
        self._tickets.pop(generation.id, None)
        self.line.release(generation.id)
        cancelled_at = self.cancelled_at.pop(generation.id, None)
        if cancelled_at is not None and now is not None:
            self.statistics.add_cancel(now - cancelled_at, now)

    def release_all(self) -> None:
        """Take all instances back: the engine is gone."""
        for generation in list(self.held.values()):
            self.release(generation)
        self.cancelled_at.clear()

    def close(self, generation: Generation, now: float) -> None:
        """Count a generation whose terminal frame has just been written."""
        assert generation.outcome is not None
        del self.live[generation.id]
        left_at = now if generation.instance_at is None else generation.instance_at
        self.learn(self.wait_record.leave(generation.id, left_at))
        request = generation.request
        self.admission.leave(request.visitor, address=request.address, priority=request.priority)
        self.logs.end(generation.id, now)
        self.statistics.outcomes[generation.outcome] += 1
        if generation.outcome in (Outcome.DONE, Outcome.LENGTH):
            self.statistics.latencies.add(Latency.ANSWER, now - generation.submitted_at)
        if generation.error_code:
            self.statistics.errors[generation.error_code] += 1
        self.statistics.count_tokens(
            num_prompt=generation.num_prompt_tokens,
            num_cached=generation.num_cached_tokens,
            num_generated=generation.num_new_tokens,
        )
        if not self.live:
            self._is_empty.set()

    async def wait_until_empty(self, limit_s: float) -> None:
        """Return when every generation has its end, or after ``limit_s`` seconds."""
        if not self.live:
            return
        try:
            await asyncio.wait_for(self._is_empty.wait(), limit_s)
        except TimeoutError:
            logger.info("%d answers still ran after %.0f s.", len(self.live), limit_s)
