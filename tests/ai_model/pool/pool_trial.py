"""A pool on trial: its requests as their readers see them, and what must hold at all times.

The real Pool with a scripted engine, on a fake clock and an event loop that is stepped by hand.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant

from ai_model.engine.config import EngineConfig
from ai_model.engine.request import SamplingParams
from ai_model.engine.snapshot import EngineState
from ai_model.pool.errors import InflightLimit, NoModel, PoolError, QueueFull
from ai_model.pool.frames import Frame
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.pool.rounds import TICK_S
from tests.ai_model.pool.builders import Clock, make_config, make_request
from tests.ai_model.pool.hand_loop import HandLoop
from tests.ai_model.pool.life import Life
from tests.ai_model.pool.scripted_engine import SCRIPT, ScriptedEngine

LIMITS = make_config(
    max_instances=3,
    queue_size=3,
    max_inflight_per_visitor=3,
    max_running_per_visitor=2,
    timeout_s=60.0,
    first_token_timeout_s=30.0,
    stall_timeout_s=20.0,
    total_timeout_s=100.0,
)
PATIENCE_S = 1.0 + 3 * TICK_S
"""How long an engine may take to end an answer before its reader is told without it."""


class PoolTrial(RuleBasedStateMachine):
    """Keeps the books of everybody who asked, beside the pool's own, and compares them."""

    limits = LIMITS

    def __init__(self) -> None:
        super().__init__()
        self.wall_s = 1.7e9
        self.patches = pytest.MonkeyPatch()
        self.patches.setattr(time, "time", lambda: self.wall_s)
        self.clock = Clock()
        self.loop = HandLoop(self.clock)
        self.leapt_at = self.clock()
        self.start_pool(is_loading=False)

    def start_pool(self, *, is_loading: bool) -> None:
        """Begin anew with a fresh pool, as after the death of a pool process."""
        self.lives: dict[str, Life] = {}
        self.num_accepted = self.num_refused = self.num_answered = self.num_taken_before = 0
        self.is_closed_to_new = self.is_lost = False

        def make(config: EngineConfig, on_state: Callable[[EngineState], None]) -> ScriptedEngine:
            self.engine = ScriptedEngine(config, on_state, is_loading=is_loading, script=SCRIPT)
            return self.engine

        self.pool: Pool = self.loop.call(
            lambda: Pool(
                self.limits, engine_factory=make, on_answered=self.note_answer, clock=self.clock
            )
        )
        self.loop.call(self.pool.start)

    def note_answer(self) -> None:
        """What a supervisor is told."""
        self.num_answered += 1

    def submit_one(self, visitor: str, max_tokens: int, produced_text: str = "") -> None:
        """Ask. A refusal must have its reason, and be the only possible answer."""
        sampling = SamplingParams(max_tokens=max_tokens)
        request = make_request(visitor=visitor, sampling=sampling, produced_text=produced_text)
        before = self.pool.status()
        num_open = sum(life.request.visitor == visitor for life in self.open)
        is_at_limit = num_open >= self.limits.max_inflight_per_visitor
        try:
            self.hand_in(request)
        except InflightLimit:
            assert is_at_limit, "an earlier answer of this visitor was never signed off"
        except QueueFull as error:
            assert error.retry_after_s is not None and error.retry_after_s > 0
            is_full = before.num_waiting - before.num_available >= self.limits.queue_size
            assert is_full or "wait would be" in error.text
        except NoModel:
            assert self.is_lost
        except PoolError:
            assert self.is_closed_to_new
        else:
            assert not (is_at_limit or self.is_lost or self.is_closed_to_new)
            if not self.engine.is_deaf:
                assert self.pool.status().num_waiting <= self.limits.queue_size
            return
        self.num_refused += 1

    def hand_in(self, request: PoolRequest, submitted_at: float | None = None) -> None:
        """Submit a request and follow it. Raises what the pool raises."""
        self.loop.call(lambda: self.pool.submit(request))
        log = self.pool.logs.find(request.generation)
        assert log is not None
        frames: list[Frame] = []

        async def follow() -> None:
            async for frame in log.follow():
                frames.append(frame)

        now = self.clock() if submitted_at is None else submitted_at
        life = Life(request, now, self.loop.begin(follow), frames)
        life.max_tokens = request.sampling.max_tokens
        self.lives[life.id] = life
        self.num_accepted += 1

    def command(self, name: str, *arguments: object) -> None:
        """Give the pool an operator's command."""
        self.wait_for(lambda: getattr(self.pool.controls, name)(*arguments))

    def wait_for(self, call: Callable[[], Any]) -> None:
        """Do something that may take a moment of the pool's time."""
        task = self.loop.begin(call)
        for _ in range(100):
            if task.done():
                break
            self.loop.advance(TICK_S)
        self.loop.finish(task)

    # What must hold.

    @invariant()
    def audit(self) -> None:
        """Let a moment pass, so that everybody was told, and check the books."""
        # Who is given back by a deaf engine is in line in between, which is when the tick looks.
        for _ in range(12 if self.engine.is_deaf else 1):
            self.loop.advance(TICK_S * (0.1 if self.engine.is_deaf else 1.2))
        self.is_lost = bool(self.pool.admission.failure)
        assert not self.loop.failures, self.loop.failures
        for life in self.lives.values():
            life.check()
        self.check_counts()
        self.check_limits_of_time()
        self.check_places()
        self.check_order()

    def check_counts(self) -> None:
        """What came in is what went out and what is still there; nothing is over its bound."""
        status = self.pool.status()
        num_open = len(self.open)
        assert status.num_accepted == self.num_accepted
        assert status.num_accepted == sum(status.outcomes.values()) + num_open
        assert status.num_refused == self.num_refused
        outcomes = Counter(status.outcomes)
        assert outcomes["done"] + outcomes["length"] == self.num_answered
        assert status.num_waiting <= num_open <= status.num_waiting + status.num_running
        assert num_open <= self.limits.queue_size + self.limits.max_instances
        # A pool that was made smaller lets what runs end first.
        assert status.num_running <= max(status.num_instances, self.num_taken_before)
        assert status.num_running <= self.limits.max_instances
        self.num_taken_before = status.num_running
        by_visitor = Counter(life.request.visitor for life in self.running)
        assert all(num <= self.limits.max_running_per_visitor for num in by_visitor.values())
        if self.is_lost:
            assert (num_open, status.num_running) == (0, 0)
        else:
            assert set(self.engine.running_ids) <= set(self.lives)
            assert len(self.engine.running_ids) == status.num_running

    def check_limits_of_time(self) -> None:
        """Nobody waits or runs for longer than was promised, and stopping stops."""
        now = self.clock()
        longest_s = self.limits.timeout_s + self.limits.total_timeout_s + PATIENCE_S
        waiting = {life.id for life in self.waiting}
        for life in self.open:
            age_s = now - life.submitted_at
            if life.id in waiting:
                assert age_s <= self.limits.timeout_s + PATIENCE_S
            elif now - self.leapt_at > PATIENCE_S:
                assert age_s <= longest_s
            assert life.stopped_at is None or now - life.stopped_at <= PATIENCE_S

    def check_places(self) -> None:
        """Those who wait were told the places 1 to n."""
        if self.engine.is_deaf:
            return  # they come and go
        waiting = self.waiting
        assert len(waiting) == self.pool.status().num_waiting
        told = [life.places[-1] for life in waiting]
        assert sorted(frame["position"] for frame in told) == list(range(1, len(told) + 1))
        assert {frame["size"] for frame in told} <= {len(told)}

    def check_order(self) -> None:
        """A visitor's own requests are served in the order in which they came."""
        taken = [request.id for request in self.engine.requests]
        for visitor in {life.request.visitor for life in self.lives.values()}:
            asked = [one for one, life in self.lives.items() if life.request.visitor == visitor]
            assert [one for one in taken if one in asked] == [one for one in asked if one in taken]

    # The end.

    def teardown(self) -> None:
        """Left alone, everything ends; then the pool is shut down and nothing is left over."""
        try:
            self.let_all_end()
            self.shut_down()
            assert not self.loop.failures, self.loop.failures
        finally:
            self.patches.undo()
            self.loop.close()

    def let_all_end(self) -> None:
        """The engine does its work again: every answer ends, every instance comes back."""
        engine = self.engine
        engine.is_deaf = engine.ignores_cancel = False
        engine.heartbeat_age_s = 0.0
        if self.is_closed_to_new:
            self.command("resume")
            self.is_closed_to_new = False
        if engine.state in (EngineState.LOADING, EngineState.SLEEPING):
            self.loop.call(engine.become_ready)
        for request_id in self.overdue:
            self.loop.call(partial(engine.release, request_id))
        for _ in range(100):
            self.loop.call(lambda: engine.step(len(SCRIPT) + 1))
            self.audit()
            if self.is_idle:
                break
        assert self.is_idle, "something never ends"
        assert self.is_lost or self.pool.num_free > 0

    def shut_down(self) -> None:
        """End a pool that has work again: everybody is told, nothing is left."""
        if not self.is_lost and self.engine.state is EngineState.READY:
            for number in range(4):
                self.submit_one(f"late {number}", 32)
            self.loop.call(self.engine.step)
        self.wait_for(lambda: self.pool.finish(1.0))
        for life in self.lives.values():
            life.check()
            assert not life.is_open and life.follower.done()
        self.end_pool()
        assert (self.pool.num_running, self.engine.running_ids) == (0, [])
        assert not asyncio.all_tasks(self.loop) and self.loop.num_timers == 0

    def end_pool(self) -> None:
        """Close the pool; nothing of it may remain on the loop."""
        self.wait_for(self.pool.close)
        self.loop.settle()

    # Small questions.

    @property
    def open(self) -> list[Life]:
        """Lives without a terminal frame."""
        return [life for life in self.lives.values() if life.is_open]

    @property
    def unfinished(self) -> list[Life]:
        """Lives with a part of the story and an end."""
        return [life for life in self.lives.values() if life.can_go_on]

    @property
    def waiting(self) -> list[Life]:
        """Lives that hold no instance."""
        running = set(self.engine.running_ids)
        return [life for life in self.open if life.id not in running]

    @property
    def running(self) -> list[Life]:
        """Lives that hold an instance."""
        running = set(self.engine.running_ids)
        return [life for life in self.open if life.id in running]

    @property
    def overdue(self) -> list[str]:
        """Answers that the engine was told to end and still has."""
        return [one for one in self.engine.running_ids if one in self.engine.cancelled]

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and nothing runs."""
        return not self.open and self.pool.num_running == 0

    def pick(self, among: list[Any], number: int) -> Any:
        """Return one of a list that is not empty."""
        return among[number % len(among)]
