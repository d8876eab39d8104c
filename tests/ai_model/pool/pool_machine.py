"""A Hypothesis state machine that does everything to a pool and audits it each time.

The real Pool with a scripted engine, on a fake clock and an event loop that is stepped by hand.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ai_model.engine.config import EngineConfig
from ai_model.engine.request import SamplingParams
from ai_model.engine.snapshot import EngineState
from ai_model.pool.errors import InflightLimit, NoModel, PoolError, QueueFull
from ai_model.pool.frames import Frame
from ai_model.pool.pool import TICK_S, Pool
from ai_model.pool.request import PoolRequest
from tests.ai_model.pool.builders import Clock, durable, make_config, make_request, text_of
from tests.ai_model.pool.hand_loop import HandLoop
from tests.ai_model.pool.life import LATE, Life
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


class PoolMachine(RuleBasedStateMachine):
    """Does to a pool what visitors, engines, operators and clocks do, and audits it each time."""

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

    # What visitors do.

    @rule(visitors=st.text("abcd", min_size=1, max_size=4), max_tokens=st.sampled_from([3, 32]))
    def submit(self, visitors: str, max_tokens: int) -> None:
        """Some visitors ask."""
        for visitor in visitors:
            self.submit_one(visitor, max_tokens)

    @rule(visitor=st.sampled_from("abc"))
    def flood(self, visitor: str) -> None:
        """One visitor asks more than one visitor may."""
        for _ in range(self.limits.max_inflight_per_visitor + 1):
            self.submit_one(visitor, 32)

    @rule()
    def write_and_ask(self) -> None:
        """Everything that runs is finished, and those who got nothing ask again."""
        self.write(len(SCRIPT) + 1)
        self.submit("abcd", 32)

    def submit_one(self, visitor: str, max_tokens: int) -> None:
        """Ask. A refusal must have its reason, and be the only possible answer."""
        sampling = SamplingParams(max_tokens=max_tokens)
        request = make_request(visitor=visitor, sampling=sampling)
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

    @precondition(lambda self: self.lives)
    @rule(number=st.integers(0, 50))
    def submit_again(self, number: int) -> None:
        """A client that lost the reply asks again: nothing happens twice."""
        life = self.pick(list(self.lives.values()), number)
        if life.id not in self.pool.logs:
            return  # so long ago that the pool has forgotten it
        frames = list(life.frames)
        self.loop.call(lambda: self.pool.submit(life.request))
        assert durable(life.frames) == durable(frames)

    @precondition(lambda self: self.open)
    @rule(number=st.integers(0, 50), seen=st.none() | st.integers(0, 60))
    def stop(self, number: int, seen: int | None) -> None:
        """Press the stop button."""
        self.press_stop(self.pick(self.open, number), seen)

    @precondition(lambda self: bool(self.running))
    @rule(number=st.integers(0, 50), seen=st.none() | st.integers(0, 60))
    def stop_slowly(self, number: int, seen: int | None) -> None:
        """Press it while the engine takes its time: the reader is told all the same."""
        self.engine.ignores_cancel = True
        life = self.pick(self.running, number)
        self.press_stop(life, seen)
        for _ in range(14):
            self.loop.advance(TICK_S)
        assert not life.is_open

    def press_stop(self, life: Life, seen: int | None) -> None:
        """Stop an answer; if the engine is quick about it, it has ended then."""
        is_first = life.id not in self.engine.cancelled
        self.loop.call(lambda: self.pool.stop(life.id, seen))
        life.stopped_at = self.clock() if life.stopped_at is None else life.stopped_at
        if is_first and not self.engine.ignores_cancel:
            end = life.frames[-1]
            assert end.get("reason", end.get("code")) in ("user_stop", *LATE)

    @precondition(lambda self: self.lives)
    @rule(number=st.integers(0, 50))
    def acknowledge(self, number: int) -> None:
        """The web process has stored an answer, or says so too early."""
        life = self.pick(list(self.lives.values()), number)
        self.loop.call(lambda: self.pool.acknowledge(life.id))

    # What the engine does.

    @rule(num_tokens=st.integers(1, 9))
    def write(self, num_tokens: int) -> None:
        """Every running answer gets longer, or ends."""
        self.loop.call(lambda: self.engine.step(num_tokens))

    @precondition(lambda self: self.engine.running_ids)
    @rule(number=st.integers(0, 50))
    def fail_one(self, number: int) -> None:
        """One answer fails."""
        request_id = self.pick(self.engine.running_ids, number)
        self.loop.call(lambda: self.engine.fail_one(request_id))

    @rule()
    def cancel_slowly(self) -> None:
        """The engine takes its time with cancels, or carries them out again."""
        self.engine.ignores_cancel = not self.engine.ignores_cancel

    @precondition(lambda self: self.overdue)
    @rule(number=st.integers(0, 50))
    def release_late(self, number: int) -> None:
        """A cancel that was ignored is carried out at last."""
        request_id = self.pick(self.overdue, number)
        self.loop.call(lambda: self.engine.release(request_id))

    @precondition(lambda self: self.overdue and len(self.lives) > 4)
    @rule()
    def never_release(self) -> None:
        """It is never carried out: such an engine is given up."""
        self.leap(61.0)
        assert self.pool.admission.failure and not self.open

    @rule()
    def be_deaf(self) -> None:
        """The engine is still busy with earlier answers, or not any more."""
        self.engine.is_deaf = not self.engine.is_deaf

    @rule(age_s=st.sampled_from([0.0, 30.0]))
    def beat(self, age_s: float) -> None:
        """The engine's thread hangs, or goes on."""
        self.engine.heartbeat_age_s = age_s

    @precondition(lambda self: self.engine.state is EngineState.LOADING)
    @rule()
    def become_ready(self) -> None:
        """The model is loaded."""
        self.loop.call(self.engine.become_ready)

    @precondition(lambda self: self.is_idle and self.engine.state is EngineState.READY)
    @rule()
    def fall_asleep(self) -> None:
        """Nobody has asked for long."""
        self.loop.call(self.engine.fall_asleep)

    @precondition(lambda self: len(self.lives) > 4 and self.engine.failure == "")
    @rule()
    def lose_engine(self) -> None:
        """The engine breaks down, and nobody replaces the process."""
        self.loop.call(lambda: self.engine.fail("The engine broke down."))
        assert not self.open

    @precondition(lambda self: len(self.open) > 1 or self.is_lost)
    @rule(is_loading=st.booleans(), is_paused=st.booleans())
    def lose_process(self, is_loading: bool, is_paused: bool = False) -> None:
        """kill -9: what was open is handed to a new pool, with what its readers have."""
        orphans = [life for life in self.open if life.stopped_at is None]
        for life in self.lives.values():
            life.follower.cancel()
        self.loop.settle()
        self.end_pool()
        self.start_pool(is_loading=is_loading)
        if is_paused:
            self.pause()
        for life in orphans:
            tokens = [token for frame in life.frames for token in frame.get("tokens", ())]
            text = text_of(life.frames)
            again = replace(life.request, produced=tuple(tokens), produced_text=text)
            self.hand_in(replace(again, is_resumed=True))
            assert text_of(self.lives[life.id].frames) == text

    # What operators do.

    def command(self, name: str, *arguments: object) -> None:
        """Give the pool a command that may take a moment."""
        task = self.loop.begin(lambda: getattr(self.pool, name)(*arguments))
        for _ in range(100):
            if task.done():
                break
            self.loop.advance(TICK_S)
        self.loop.finish(task)

    @rule()
    def pause(self) -> None:
        """Take nothing more for a while."""
        self.command("pause", "Back at noon.")
        self.is_closed_to_new = True

    @rule()
    def drain(self) -> None:
        """Take nothing more and let run what runs."""
        self.command("drain")
        self.is_closed_to_new = True

    @rule()
    def resume(self) -> None:
        """Take requests again."""
        self.command("resume")
        self.is_closed_to_new = False

    @precondition(lambda self: not self.is_lost)
    @rule(num_instances=st.integers(1, 3))
    def resize(self, num_instances: int) -> None:
        """Have more or fewer instances."""
        self.command("resize", num_instances)

    @precondition(lambda self: self.open)
    @rule(number=st.integers(0, 50))
    def cancel(self, number: int) -> None:
        """An operator ends somebody's request."""
        life = self.pick(self.open, number)
        self.command("cancel", life.id)
        life.stopped_at = self.clock() if life.stopped_at is None else life.stopped_at

    # What clocks do.

    @rule(seconds=st.sampled_from([0.2, 1.0, 3.0, 8.0]))
    def pass_time(self, seconds: float) -> None:
        """Time passes as usual."""
        for _ in range(8):
            self.loop.advance(seconds / 8)

    @rule(seconds=st.sampled_from([25.0, 61.0, 101.0, 1000.0]))
    def leap(self, seconds: float) -> None:
        """The machine slept: much time at once."""
        self.leapt_at = self.clock() + seconds
        self.loop.advance(seconds)

    @rule(seconds=st.sampled_from([-86_400.0, -3600.0, 3600.0, 86_400.0]))
    def set_wall_clock(self, seconds: float) -> None:
        """Somebody corrects the time of day: nothing may come of it."""
        before = {life.id: list(life.frames) for life in self.lives.values()}
        self.wall_s += seconds
        self.loop.settle()
        assert before == {life.id: life.frames for life in self.lives.values()}

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
            self.resume()
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
        self.command("finish", 1.0)
        for life in self.lives.values():
            life.check()
            assert not life.is_open and life.follower.done()
        self.end_pool()
        assert (self.pool.num_running, self.engine.running_ids) == (0, [])
        assert not asyncio.all_tasks(self.loop) and self.loop.num_timers == 0

    def end_pool(self) -> None:
        """Close the pool; nothing of it may remain on the loop."""
        self.command("close")
        self.loop.settle()

    # Small questions.

    @property
    def open(self) -> list[Life]:
        """Lives without a terminal frame."""
        return [life for life in self.lives.values() if life.is_open]

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
