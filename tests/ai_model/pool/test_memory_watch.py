"""Levels of memory pressure reach everybody in a pool, and all is given back when they are over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.memory import MemoryLevel
from ai_model.pool import engine_link
from ai_model.pool.capacity import GROW_PAUSE_S, SHORTAGE_S
from ai_model.pool.economy import ECONOMIES, NORMAL
from ai_model.pool.errors import MemoryPressure
from ai_model.pool.memory_watch import DYING_PATIENCE_S
from ai_model.pool.orders import Orders
from ai_model.pool.pool import Pool
from tests.ai_model.pool.builders import make_config, make_request, running_pool, until
from tests.ai_model.pool.fake_engine import factory
from tests.ai_model.pool.memory_scene import LEVELS, Scene, begun, long_request, scene
from tests.ai_model.pool.readers import ended
from tests.ai_model.pool.scripted_sensor import LIMIT

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


# The level of rest


async def test_what_is_always_there_comes_back_only_where_the_pool_rests() -> None:
    """Medium is a calm place for a small server, but a warning for one that was at low."""
    async with scene(MemoryLevel.MEDIUM, hot_instances=0) as one:
        one.climb(MemoryLevel.MEDIUM)
        assert one.pool.num_instances == 2
        one.climb(MemoryLevel.HIGH)
        assert one.pool.num_instances == 1
        one.descend(MemoryLevel.MEDIUM)
        assert one.pool.num_instances == 2
    async with scene(hot_instances=0) as one:
        one.climb(MemoryLevel.HIGH)
        one.descend(MemoryLevel.MEDIUM)
        assert one.pool.num_instances == 1
        one.pool.submit(long_request(visitor="a"))
        one.pool.submit(long_request(visitor="b"))
        await until(lambda: one.engine.running_ids)
        assert (one.pool.num_instances, len(one.pool.line)) == (1, 1)
        one.calm_down()
        assert one.pool.num_instances == 2


async def test_the_instances_of_a_start_that_had_no_room_do_not_come_at_medium() -> None:
    """Although it is tried again after a while."""
    async with scene(hot_instances=0) as one:
        one.pool._capacity.begin_with(1, one.clock())
        one.climb(MemoryLevel.MEDIUM)
        one.clock.advance(SHORTAGE_S + GROW_PAUSE_S)
        one.pool._dispatch()
        assert one.pool.num_instances == 1
        one.calm_down()
        assert one.pool.num_instances == 2


async def test_more_instances_make_another_level_of_rest() -> None:
    """What the cost of steps speaks for comes after the model; elastic ones are no rest."""
    async with scene() as one:
        ladder, capacity = one.pool.memory._ladder, one.pool._capacity
        for size, resting in ((2, MemoryLevel.LOW), (1, MemoryLevel.LOW)):
            capacity.size = one.engine.num_instances = size
            one.sensor.read_shares(0.72, 0.2)
            one.pool.memory.look()
            assert ladder.resting is resting
        capacity.choose(2)
        capacity.size = one.engine.num_instances = 2
        one.pool.memory.look()
        assert (ladder.resting, ladder.resting_pressure) == (MemoryLevel.MEDIUM, 0.72)


# Another model


def model_file(size_bytes: int, kv_bytes_per_token: int = 22_528) -> Any:
    """What is known of a file before it is loaded."""
    return SimpleNamespace(
        size_bytes=size_bytes, kv_bytes_per_token=kv_bytes_per_token, n_ctx_train=2048
    )


async def test_a_switch_that_would_not_fit_says_so_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = model_file(LIMIT)
    monkeypatch.setattr(engine_link, "inspect", lambda path: large)
    async with scene() as one:
        result = await one.pool.controls.switch_model(Path("/models/large.gguf"))
        assert not result.is_done and "read from disk" in result.text
        assert one.pool.is_ready and one.engine.model_name == "Fake Model"
        large.size_bytes = LIMIT // 2
        large.kv_bytes_per_token = 10**6
        result = await one.pool.controls.switch_model(Path("/models/large.gguf"))
        assert not result.is_done and "does not fit beside this one" in result.text
        assert "2048 MB" in result.text and one.pool.is_ready
        one.pool.memory.switch("off")
        assert (await one.pool.controls.switch_model(Path("/models/large.gguf"))).is_done
        one.pool.memory.switch("auto")
        large.kv_bytes_per_token = 22_528
        assert (await one.pool.controls.switch_model(Path("/models/next.gguf"))).is_done


# The brink


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


async def test_what_the_kernel_says_about_waiting_is_told_as_a_share() -> None:
    async with scene() as one:
        assert one.pool.status().memory.stall_some is None, "this machine tells nothing"
        one.sensor.reading = replace(one.sensor.reading, psi_some_avg10=4.25, psi_full_avg10=0.0)
        one.pool.memory.look()
        memory = one.pool.status().memory
        assert (memory.stall_some, memory.stall_full) == (0.0425, 0.0)
