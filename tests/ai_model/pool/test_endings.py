"""Every generation ends exactly once, in whatever state it is."""

from __future__ import annotations

import asyncio

import pytest

from ai_model.pool.errors import (
    PoolUnavailable,
)
from ai_model.pool.status import PoolState
from tests.ai_model.pool.builders import (
    check_log,
    make_config,
    make_request,
    running_pool,
    until,
)
from tests.ai_model.pool.readers import ended, frames_of


async def test_stop_in_line() -> None:
    """Leaves the line; the others move up."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        requests = [make_request() for _ in range(3)]
        for request in requests:
            pool.submit(request)
        pool.stop(requests[1].generation)
        [end] = await ended(pool, requests[1])
        assert (end["reason"], end["chars"]) == ("user_stop", 0)
        assert list(pool.line) == [requests[2].generation]


async def test_stop_before_the_engine_has_it() -> None:
    """While the prompt is being made: nothing reaches the engine, and the instance is free."""
    async with running_pool() as (pool, engine):
        request = make_request()
        pool.submit(request)
        pool.stop(request.generation)
        [end] = await ended(pool, request)
        assert end["reason"] == "user_stop"
        await until(lambda: pool.num_free == 2)
        assert engine.requests == [] or engine.running_ids == []


async def test_stop_while_running() -> None:
    """The text ends where the visitor saw it end; stopping twice is stopping once."""
    async with running_pool() as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.step(3)
        await until(lambda: len(frames_of(pool, request)) > 2)
        pool.stop(request.generation, seen=6)
        pool.stop(request.generation, seen=1)
        [end] = await ended(pool, request)
        assert (end["reason"], end["chars"]) == ("user_stop", 6)
        assert engine.cancelled == [request.generation]
        pool.stop(request.generation)
        assert pool.num_free == 2


async def test_finishing() -> None:
    """What waits is handed back, what runs may finish, what comes is refused."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        running, waiting = make_request(), make_request()
        pool.submit(running)
        pool.submit(waiting)
        await until(lambda: engine.running_ids)
        drain = asyncio.create_task(pool.finish(5.0))
        [end] = await ended(pool, waiting)
        assert (end["code"], end["retryable"]) == ("pool_lost", True)
        with pytest.raises(PoolUnavailable):
            pool.submit(make_request())
        assert pool.status().state is PoolState.DRAINING
        engine.finish_all()
        await drain
        [end] = await ended(pool, running)
        assert end["reason"] == "stop"


async def test_finishing_has_a_limit() -> None:
    """An answer that is too long for it ends with what it has."""
    async with running_pool() as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.step(2)
        await pool.finish(0.05)
        [end] = await ended(pool, request)
        assert (end["type"], end["reason"]) == ("gen.done", "shutdown")


async def test_closing_ends_everything() -> None:
    """Each generation has exactly one end, in whatever state it was."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        requests = [make_request() for _ in range(3)]
        for request in requests:
            pool.submit(request)
        await until(lambda: engine.running_ids)
    for request in requests:
        assert check_log(frames_of(pool, request))["code"] == "pool_lost"
    await pool.close()


async def test_an_answer_that_was_complete_already() -> None:
    """The earlier pool died between the last token and saying so."""
    async with running_pool(make_config(max_tokens=2)) as (pool, engine):
        request = make_request(produced=(100, 101), produced_text="The pool ")
        pool.submit(request)
        [end] = await ended(pool, request)
        assert (end["reason"], end["chars"]) == ("length", 9)
        assert engine.requests == []
        assert pool.num_free == 2
