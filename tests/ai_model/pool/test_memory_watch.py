"""What a pool does without while memory is short, and that it gets all of it back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.engine.cost_curve import CostCurve
from ai_model.engine.request import SamplingParams
from ai_model.memory import MemoryLevel
from ai_model.pool import loading
from ai_model.pool.capacity import GROW_PAUSE_S
from ai_model.pool.economy import ECONOMIES, NORMAL
from ai_model.pool.errors import MemoryPressure, QueueFull, RefusalReason
from ai_model.pool.memory_watch import ANSWERS_PER_TRIM, DYING_PATIENCE_S
from ai_model.pool.orders import Orders
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import Clock, make_config, make_request, running_pool, until
from tests.ai_model.pool.fake_engine import Factory, FakeEngine, factory
from tests.ai_model.pool.readers import ended, frames_of
from tests.ai_model.pool.scripted_sensor import LIMIT, ScriptedSensor

CALM_S = 31.0
"""Longer than any level has to be over before it is left."""
LEVELS = list(MemoryLevel)
MB = 1024 * 1024


@dataclass
class Scene:
    """A pool, its engine, what it reads of memory, and its clock."""

    pool: Pool
    engine: FakeEngine
    sensor: ScriptedSensor
    clock: Clock
    broken: list[str]

    def climb(self, level: MemoryLevel) -> None:
        """Bring the pool to a level, from whatever is below it."""
        self.sensor.say(level)
        for _ in range(2):
            self.pool.memory.look()
        assert self.pool.memory.level is level

    def calm_down(self) -> None:
        """Let everything be over, and the pauses pass."""
        self.sensor.say(MemoryLevel.LOW)
        for _ in range(3 * len(LEVELS)):
            self.pool.memory.look()
            self.clock.advance(CALM_S)
        self.clock.advance(GROW_PAUSE_S)
        self.pool.memory.look()
        self.pool._dispatch()
        assert self.pool.memory.level is MemoryLevel.LOW

    def limits(self) -> dict[str, Any]:
        """Return everything that a level may change."""
        capacity, link = self.pool._capacity, self.pool._engine
        return {
            "size": capacity.size,
            "limit": capacity.limit,
            "hot": capacity.hot,
            "reachable": capacity.reachable,
            "engine": self.engine.num_instances,
            "economies": (capacity.economy, link.economy, self.pool.admission.economy),
            "parked": self.engine.parked_limits[-1],
            "config": self.pool.config,
        }


@asynccontextmanager
async def scene(level: MemoryLevel = MemoryLevel.LOW, **config: Any) -> AsyncIterator[Scene]:
    """A pool of two instances, of which one is always there, at rest at ``level``."""
    usual = {"n_ctx": 2048, "max_tokens": 512, "hot_instances": 1, "parked_bytes": 200 * MB}
    # Levels last longer than deadlines usually are.
    usual |= {"calm_parked_bytes": 50 * MB, "timeout_s": 1e5, "total_timeout_s": 1e5}
    usual |= {"first_token_timeout_s": 1e5, "stall_timeout_s": 1e5}
    sensor, clock, broken = ScriptedSensor(level), Clock(), list[str]()
    limits = make_config(**usual | config)
    async with running_pool(limits, sensor=sensor, clock=clock, on_broken=broken.append) as (
        pool,
        engine,
    ):
        yield Scene(pool, engine, sensor, clock, broken)


def long_request(*turns: str, **values: Any) -> PoolRequest:
    """A question that may be answered at length; ``turns`` came before it."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = [ChatMessage(roles[at % 2], text) for at, text in enumerate((*turns, "And now?"))]
    sampling = SamplingParams(max_tokens=500)
    return make_request(**{"messages": tuple(messages), "sampling": sampling} | values)


async def begun(one: Scene, request: PoolRequest) -> Any:
    """Submit a request and return what the engine was given."""
    one.pool.submit(request)
    await until(lambda: request.generation in one.engine.running_ids)
    return next(each for each in one.engine.requests if each.id == request.generation)


# Every level


@pytest.mark.parametrize("level", LEVELS)
async def test_a_level_reaches_everybody_and_is_told(level: MemoryLevel) -> None:
    async with scene() as one:
        before = one.limits()
        one.climb(level)
        assert one.limits()["economies"] == (ECONOMIES[level],) * 3
        memory = one.pool.status().memory
        assert (memory.level, memory.limit_bytes) == (str(level), LIMIT)
        assert memory.pressure == one.sensor.reading.p
        assert memory.kill_pressure == one.sensor.reading.p_kill
        assert memory.unreclaimable_bytes == one.sensor.reading.unreclaimable_bytes
        assert memory.resting_pressure == 0.5 and memory.switch == "auto"
        assert "%" in memory.reason
        one.calm_down()
        assert one.limits() == before
        assert one.pool.memory.economy == NORMAL


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(LEVELS),
            st.floats(0.0, 100.0),
            st.sampled_from(["ask", "answer", "on", "off", "auto", ""]),
        ),
        max_size=12,
    )
)
def test_after_any_trace_that_ends_low_all_is_as_at_the_start(
    trace: list[tuple[MemoryLevel, float, str]],
) -> None:
    async def live() -> None:
        async with scene(max_inflight_per_visitor=100, queue_size=100) as one:
            before = one.limits()
            for level, seconds, act in trace:
                one.sensor.say(level)
                one.pool.memory.look()
                one.clock.advance(seconds)
                one.pool.memory.look()
                if act == "ask":
                    one.pool.submit(make_request(is_resumed=True))
                    await asyncio.sleep(0)
                elif act == "answer":
                    one.engine.finish_all()
                    await asyncio.sleep(0)
                elif act:
                    one.pool.memory.switch(act)
            one.pool.memory.switch("auto")
            await until(lambda: _is_idle(one))
            # Elastic instances stay for a while when they were needed.
            one.clock.advance(1000.0)
            one.calm_down()
            assert one.limits() == before
            assert not one.broken

    asyncio.run(live())


def _is_idle(one: Scene) -> bool:
    one.engine.finish_all()
    return not one.pool._register.live and not one.pool._register.held


# Medium


async def test_medium_lets_idle_elastic_instances_go_and_makes_none() -> None:
    async with scene() as one:
        first, second = [long_request(visitor=name) for name in "ab"]
        for request in (first, second):
            await begun(one, request)
        assert one.pool.num_instances == 2
        one.climb(MemoryLevel.MEDIUM)
        assert one.pool.num_instances == 2, "both are in use"
        one.pool.stop(first.generation)
        await until(lambda: one.pool.num_running == 1 and one.pool.num_instances == 1)
        waiting = long_request(visitor="c")
        one.pool.submit(waiting)
        assert len(one.pool.line) == 1 and one.pool.num_free == 0
        assert one.engine.parked_limits[-1] == 50 * MB
        one.calm_down()
        await until(lambda: waiting.generation in one.engine.running_ids)
        assert one.pool.num_instances == 2
        assert one.engine.parked_limits[-1] == 200 * MB


async def test_medium_costs_an_answer_nothing() -> None:
    async with scene(MemoryLevel.MEDIUM) as one:
        one.climb(MemoryLevel.MEDIUM)
        request = long_request()
        assert (await begun(one, request)).sampling.max_tokens == 500
        one.engine.finish_all()
        [end] = await ended(one.pool, request)
        assert end["quality"] == "full"
        assert one.pool.warm(make_request(conversation="another"))


# High


async def test_high_goes_down_to_one_instance_once_the_neighbours_have_finished() -> None:
    async with scene(hot_instances=0) as one:
        requests = [long_request(visitor=name) for name in "abc"]
        for request in requests:
            one.pool.submit(request)
        await until(lambda: len(one.engine.running_ids) == 2)
        one.climb(MemoryLevel.HIGH)
        assert (one.pool.num_instances, one.engine.sizes[-1]) == (1, 1)
        assert len(one.engine.running_ids) == 2 and not one.engine.cancelled
        one.pool.stop(one.engine.running_ids[0])
        await until(lambda: one.pool.num_running == 1)
        assert len(one.pool.line) == 1, "the other one still runs"
        one.sensor.say(MemoryLevel.LOW)
        for _ in range(3):
            one.pool.memory.look()
            one.clock.advance(CALM_S / 2)
        one.pool._dispatch()
        assert one.pool.num_instances == 1, "it does not grow so soon after it shrank"
        one.calm_down()
        await until(lambda: len(one.engine.running_ids) == 2)
        assert one.engine.sizes[-1] == 2


async def test_high_makes_new_answers_short_and_says_so() -> None:
    async with scene() as one:
        before = long_request(visitor="a", sampling=SamplingParams(max_tokens=2))
        assert (await begun(one, before)).sampling.max_tokens == 2
        one.engine.finish_all()
        [end] = await ended(one.pool, before)
        assert (end["reason"], end["quality"]) == ("length", "full"), "that is its own limit"
        one.climb(MemoryLevel.HIGH)
        capped = long_request(visitor="b", meta={})
        one.engine.enqueue(*["word "] * 200)
        assert (await begun(one, capped)).sampling.max_tokens == 128
        one.engine.finish_all()
        [end] = await ended(one.pool, capped)
        assert (end["reason"], end["quality"], end["reduced"]) == ("length", "reduced", "length")
        assert end["usage"]["completion"] == 128
        notices = [one for one in frames_of(one.pool, capped) if one["type"] == "gen.notice"]
        assert [(one["code"], one["what"]) for one in notices] == [("reduced", "length")]
        short = long_request(visitor="c")
        await begun(one, short)
        one.engine.finish_all()
        [end] = await ended(one.pool, short)
        assert (end["reason"], end["quality"]) == ("stop", "full"), "it missed nothing"
        assert "reduced" not in end


async def test_high_halves_the_line_and_keeps_who_is_in_it() -> None:
    async with scene(hot_instances=0, max_instances=1, queue_size=4) as one:
        await begun(one, long_request())
        for _ in range(4):
            one.pool.submit(long_request())
        with pytest.raises(QueueFull):
            one.pool.submit(long_request())
        one.climb(MemoryLevel.HIGH)
        assert len(one.pool.line) == 4
        for waiting in one.pool.controls.list_waiting()[:2]:
            one.pool.controls.cancel(waiting.generation)
        with pytest.raises(QueueFull):
            one.pool.submit(long_request())
        one.pool.controls.cancel(one.pool.controls.list_waiting()[0].generation)
        one.pool.submit(long_request())


async def test_high_keeps_no_conversations_and_reads_none_beforehand() -> None:
    async with scene() as one:
        one.climb(MemoryLevel.HIGH)
        assert one.engine.parked_limits[-1] == 0
        assert not one.pool.warm(make_request())


async def test_high_gives_the_heap_back_after_every_second_answer() -> None:
    async with scene() as one:
        trimmed, main = list[tuple[str, bool]](), threading.current_thread().name

        def trim(*, collects_garbage: bool = False) -> None:
            trimmed.append((threading.current_thread().name, collects_garbage))

        one.pool.memory._trim = trim
        for level, num_trims in ((MemoryLevel.MEDIUM, 0), (MemoryLevel.HIGH, 3)):
            one.climb(level)
            for _ in range(2 * ANSWERS_PER_TRIM):
                request = long_request()
                await begun(one, request)
                one.engine.finish_all()
                await ended(one.pool, request)
            one.pool.memory.look()
            await until(lambda wanted=num_trims: len(trimmed) == wanted)
        assert main not in dict(trimmed), "the loop does not wait for it"
        assert [collects for _, collects in trimmed].count(True) == 1, "once is enough"


# Critical


async def test_emergency_refuses_new_conversations_and_goes_on_with_the_others() -> None:
    async with scene() as one:
        one.climb(MemoryLevel.CRITICAL)
        with pytest.raises(MemoryPressure) as refusal:
            one.pool.submit(long_request())
        error = refusal.value
        assert (error.code, error.reason) == ("memory_pressure", RefusalReason.MEMORY)
        assert error.retry_after_s
        assert one.pool.status().refusals == {"memory_pressure": 1}
        one.pool.submit(long_request("Hello", "Hi"))
        one.pool.submit(long_request(is_resumed=True))
        one.pool.submit(long_request(produced=(100,), produced_text="The "))
        one.calm_down()
        one.pool.submit(long_request())


async def test_emergency_cuts_history_to_two_exchanges_and_says_so() -> None:
    async with scene() as one:
        turns = [f"turn {number}" for number in range(10)]
        whole = long_request(*turns)
        num_tokens = len((await begun(one, whole)).prompt.tokens)
        one.engine.finish_all()
        one.climb(MemoryLevel.CRITICAL)
        cut, short = long_request(*turns), long_request(*turns[:4])
        assert len((await begun(one, cut)).prompt.tokens) < num_tokens / 2
        one.engine.finish_all()
        [end] = await ended(one.pool, cut)
        frames = frames_of(one.pool, cut)
        started = next(frame for frame in frames if frame["type"] == "gen.started")
        assert (started["quality"], started["reduced"]) == ("reduced", "history")
        assert (end["quality"], end["reduced"]) == ("reduced", "history")
        trimmed = next(frame for frame in frames if frame["type"] == "gen.notice")
        assert (trimmed["code"], trimmed["turns"]) == ("context_trimmed", 3)
        await begun(one, short)
        one.engine.finish_all()
        assert (await ended(one.pool, short))[0]["quality"] == "full", "nothing was left out"


async def test_at_the_brink_answers_end_with_a_word_and_then_the_process() -> None:
    async with scene() as one:
        request, waiting = long_request("Hello", "Hi"), long_request("Hello", "Hi")
        await begun(one, request)
        one.engine.step(2)
        await until(lambda: one.pool._register.held[request.generation].num_tokens == 2)
        one.climb(MemoryLevel.CRITICAL)
        one.pool.submit(waiting)
        assert not one.engine.cancelled
        one.sensor.read_shares(1.2, 0.98)
        one.pool.memory.look()
        [end] = await ended(one.pool, request)
        assert (end["type"], end["reason"], end["reduced"]) == ("gen.done", "memory", "ended")
        assert end["chars"] > 0
        assert one.pool.status().outcomes == {"failed": 1}
        one.pool.memory.look()
        assert not one.broken, "who reads it has a moment"
        one.clock.advance(DYING_PATIENCE_S)
        one.pool.memory.look()
        assert len(one.broken) == 1 and "Memory was about to run out" in one.broken[0]
        assert waiting.generation in one.pool._register.live, "it goes on in the next process"


async def test_a_moment_at_the_brink_ends_answers_but_not_the_process() -> None:
    async with scene() as one:
        one.climb(MemoryLevel.CRITICAL)
        for _ in range(3):
            one.sensor.read_shares(1.2, 0.98)
            one.pool.memory.look()
            one.sensor.read_shares(1.2, 0.91)
            one.pool.memory.look()
            one.clock.advance(DYING_PATIENCE_S)
        assert not one.broken


# The operator's switch


async def test_the_switch_counts_at_once_and_both_ways() -> None:
    async with scene() as one:
        one.pool.controls.set_emergency("on")
        assert one.pool.admission.economy == ECONOMIES[MemoryLevel.CRITICAL]
        status = one.pool.status().memory
        assert (status.level, status.switch) == ("critical", "on")
        with pytest.raises(MemoryPressure):
            one.pool.submit(long_request())
        one.pool.controls.set_emergency("off")
        one.sensor.read_shares(1.2, 0.99)
        for _ in range(3):
            one.pool.memory.look()
            one.clock.advance(DYING_PATIENCE_S)
        one.pool.submit(long_request())
        assert (one.pool.memory.level, one.broken) == (MemoryLevel.LOW, [])
        one.pool.controls.set_emergency("auto")
        assert one.pool.memory.level is MemoryLevel.CRITICAL
        with pytest.raises(ValueError, match="auto, on or off"):
            one.pool.memory.switch("perhaps")


async def test_the_switch_is_an_order_that_outlives_the_process() -> None:
    orders: list[Orders] = []
    pool = Pool(make_config(), engine_factory=factory(), on_orders=orders.append)
    pool.controls.set_emergency("on")
    again = Orders.from_sentence(orders[-1].to_sentence())
    assert again.applied_to(make_config()).emergency == "on"
    assert Orders().applied_to(make_config(emergency="off")).emergency == "off"
    next_pool = Pool(again.applied_to(make_config()), engine_factory=factory())
    assert next_pool.memory.level is MemoryLevel.CRITICAL
    for one in (pool, next_pool):
        await one.close()


async def test_without_a_sensor_nothing_is_known_and_nothing_saved() -> None:
    async with running_pool() as (pool, _):
        memory = pool.status().memory
        assert (memory.level, memory.pressure, memory.switch) == ("", None, "auto")
        assert pool.memory.interval_s is None
        pool.memory.switch("on")
        assert pool.status().memory.level == "critical"


# The start


@asynccontextmanager
async def starting(
    sensor: ScriptedSensor, make_engine: Factory, **config: Any
) -> AsyncIterator[Pool]:
    """A pool that has just been started."""
    limits = make_config(**{"max_instances": 4, "kv_bytes_per_token": 22_528} | config)
    pool = Pool(limits, engine_factory=make_engine, sensor=lambda _: sensor)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


async def test_a_model_waits_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MEMORY_RETRY_S", 0.01)
    sensor, make_engine = ScriptedSensor(), factory()
    sensor.read_shares(0.84, 0.84)
    async with starting(sensor, make_engine) as pool:
        await asyncio.sleep(0.05)
        status = pool.status()
        assert not make_engine.is_made and status.state is PoolState.LOADING
        assert "waits for memory" in status.reason and "below 85%" in status.reason
        sensor.read_shares(0.5, 0.3)
        pool.memory.look()
        await until(lambda: pool.is_ready)
        assert pool.status().reason == ""


async def test_off_starts_whatever_memory_says() -> None:
    sensor = ScriptedSensor()
    sensor.read_shares(0.99, 0.99)
    async with starting(sensor, factory(), emergency="off") as pool:
        await until(lambda: pool.is_ready)
        assert pool.num_instances == 4


async def test_a_start_has_as_many_instances_as_there_is_room_for(tmp_path: Path) -> None:
    """512 tokens are 11.5 MB, here 0.56 % each; with the weights the next level is 1.5 % away."""
    weights = tmp_path / "model.gguf"
    with weights.open("wb") as file:
        file.truncate(LIMIT // 2)
    sensor, make_engine = ScriptedSensor(), factory()
    sensor.read_shares(0.235, 0.2)
    async with starting(sensor, make_engine, max_instances=8, model_path=weights) as pool:
        await until(lambda: pool.is_ready)
        assert make_engine.engine.config.num_instances == pool.num_instances == 3


@pytest.mark.parametrize(("wanted", "p", "size"), [(4, 0.5, 4), (4, 0.895, 1), (1, 0.5, 1)])
async def test_the_curve_decides_the_size_once(wanted: int, p: float, size: int) -> None:
    """As far as there is room; an operator's word is not overruled by a model loaded later."""
    sensor, make_engine = ScriptedSensor(), factory(is_loading=True)
    sensor.read_shares(p, 0.2)
    async with starting(
        sensor, make_engine, max_instances=1, curve_instances=4, target_itl_ms=400, n_ctx=1024
    ) as pool:
        await until(lambda: make_engine.is_made)
        make_engine.engine.kv_bytes_per_token = 22_528
        four_ms = 133.0 if wanted == 4 else 200.0
        curve = CostCurve(((1, 50.0), (2, 90.0), (4, four_ms)))
        make_engine.engine.step_cost = SimpleNamespace(
            curve=curve, cell_ms=0.0, ms=lambda size, cells: curve.cost_ms(size)
        )
        make_engine.engine.become_ready()
        await until(lambda: pool.is_ready)
        assert (pool.num_instances, pool.status().max_instances) == (size, wanted)
        pool.controls.resize(2)
        make_engine.engine.become_ready()
        await asyncio.sleep(0.01)
        assert pool.status().max_instances == 2
