"""What takes too long is ended, also when the engine does not listen."""

from __future__ import annotations

import asyncio

from ai_model.engine.events import Progress
from ai_model.engine.request import SamplingParams
from ai_model.pool import watch as watch_module
from ai_model.pool.deadlines import HUNG_S
from tests.ai_model.pool.builders import (
    Clock,
    make_config,
    make_request,
    running_pool,
    until,
)
from tests.ai_model.pool.readers import ended, frames_of, is_ended


async def test_stop_when_the_engine_does_not_answer() -> None:
    """The reader gets the end soon; the instance stays taken until the engine lets go."""
    clock = Clock()
    async with running_pool(clock=clock) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.ignores_cancel = True
        pool.stop(request.generation)
        clock.advance(watch_module.CANCEL_PATIENCE_S + 0.1)
        await ended(pool, request)
        assert pool.num_free == 1
        engine.release(request.generation)
        await until(lambda: pool.num_free == 2)


async def test_a_stuck_engine_is_reported() -> None:
    """When a cancel is not carried out and the heart does not beat."""
    clock, broken = Clock(), list[str]()
    async with running_pool(clock=clock, on_broken=broken.append) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.ignores_cancel = True
        pool.stop(request.generation)
        engine.heartbeat_age_s = 60.0
        clock.advance(HUNG_S + 0.1)
        await until(lambda: broken)


async def test_waiting_too_long() -> None:
    """Ends with queue_timeout; the one that runs goes on."""
    clock = Clock()
    async with running_pool(make_config(max_instances=1), clock=clock) as (pool, engine):
        running, waiting = make_request(), make_request()
        pool.submit(running)
        pool.submit(waiting)
        await until(lambda: engine.running_ids)
        clock.advance(119)
        engine.tell(Progress(request_id=running.generation, num_done=1, num_total=2, num_cached=0))
        engine.step()
        await asyncio.sleep(0.15)
        assert not is_ended(pool, waiting)
        clock.advance(2)
        [end] = await ended(pool, waiting)
        assert (end["code"], end["retryable"], end["partial"]) == ("queue_timeout", True, False)
        assert pool.status().outcomes == {"expired": 1}
        assert not is_ended(pool, running)


async def test_the_first_token_takes_too_long() -> None:
    """Progress on the prompt does not count as an answer; there is nothing to show."""
    clock = Clock()
    async with running_pool(clock=clock) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        for _ in range(4):
            clock.advance(8)
            engine.tell(
                Progress(request_id=request.generation, num_done=1, num_total=2, num_cached=0)
            )
        [end] = await ended(pool, request)
        assert (end["type"], end["code"]) == ("gen.error", "first_token_timeout")
        assert engine.cancelled == [request.generation]


async def test_a_long_prompt_gets_the_time_it_needs() -> None:
    """Three times the predicted reading time."""
    clock = Clock()
    async with running_pool(clock=clock) as (pool, engine):
        engine.prefill_tok_s = 1.0
        request = make_request("x" * 20)
        pool.submit(request)
        await until(lambda: engine.running_ids)
        for _ in range(6):
            clock.advance(10)
            engine.tell(
                Progress(request_id=request.generation, num_done=1, num_total=2, num_cached=0)
            )
            await asyncio.sleep(0)
        await asyncio.sleep(0.15)
        assert not is_ended(pool, request)


async def test_no_progress_at_all() -> None:
    """A stall ends the answer with what it has."""
    clock = Clock()
    async with running_pool(clock=clock) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.step(2)
        await until(lambda: len(frames_of(pool, request)) > 2)
        clock.advance(21)
        [end] = await ended(pool, request)
        assert (end["type"], end["reason"], end["chars"]) == ("gen.done", "deadline", 9)
        assert pool.status().outcomes == {"deadline": 1}


async def test_the_whole_answer_takes_too_long() -> None:
    """However much progress there is."""
    clock = Clock()
    async with running_pool(script=["x "] * 60, clock=clock) as (pool, engine):
        request = make_request(sampling=SamplingParams(max_tokens=60))
        pool.submit(request)
        await until(lambda: engine.running_ids)
        for _ in range(13):
            clock.advance(15)
            engine.step()
            await asyncio.sleep(0.01)
        [end] = await ended(pool, request)
        assert (end["type"], end["reason"]) == ("gen.done", "deadline")
