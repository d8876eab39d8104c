"""A Hypothesis state machine that does everything to a pool and audits it each time.

The real Pool with a scripted engine, on a fake clock and an event loop that is stepped by hand.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ai_model.engine.snapshot import EngineState
from ai_model.pool.rounds import TICK_S
from tests.ai_model.pool.builders import durable, text_of
from tests.ai_model.pool.life import LATE, Life
from tests.ai_model.pool.pool_trial import PoolTrial
from tests.ai_model.pool.scripted_engine import SCRIPT


class PoolMachine(PoolTrial):
    """Does to a pool what visitors, engines, operators and clocks do, and audits it each time."""

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

    @precondition(lambda self: self.unfinished)
    @rule(number=st.integers(0, 50), max_tokens=st.sampled_from([3, 32]))
    def go_on(self, number: int, max_tokens: int) -> None:
        """Somebody wants to read more of an answer that was cut."""
        life = self.pick(self.unfinished, number)
        self.submit_one(life.request.visitor, max_tokens, life.text)

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
            again = life.request
            if tokens:  # else what was given is all there is
                again = replace(again, produced=tuple(tokens), produced_text=text)
            self.hand_in(replace(again, is_resumed=True))
            if tokens:
                assert text_of(self.lives[life.id].frames) == text

    # What operators do.

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
