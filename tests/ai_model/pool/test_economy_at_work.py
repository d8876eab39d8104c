"""What a pool does without at each level, and what its visitors are told."""

from __future__ import annotations

import threading

import pytest

from ai_model.engine.request import SamplingParams
from ai_model.memory import MemoryLevel
from ai_model.pool.errors import MemoryPressure, QueueFull, RefusalReason
from ai_model.pool.memory_watch import ANSWERS_PER_TRIM
from tests.ai_model.pool.builders import make_request, until
from tests.ai_model.pool.memory_scene import CALM_S, MB, begun, long_request, scene
from tests.ai_model.pool.readers import ended, frames_of

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
