"""Who gets an instance, what the engine is given, and what the others are told."""

from __future__ import annotations

import asyncio

from ai_model.engine.request import SamplingParams
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import (
    make_config,
    make_request,
    running_pool,
    types_of,
    until,
)
from tests.ai_model.pool.readers import ended, frames_of


async def test_the_prompt_is_made_with_the_pools_limits() -> None:
    """The answer's length is bounded by the pool, and trimmed history is told."""
    async with running_pool(make_config(max_tokens=16, n_ctx=256)) as (pool, engine):
        history = [ChatMessage(Role.USER, "x" * 60), ChatMessage(Role.ASSISTANT, "y" * 60)] * 3
        request = make_request(
            messages=(*history, ChatMessage(Role.USER, "now")),
            sampling=SamplingParams(max_tokens=500),
        )
        pool.submit(request)
        await until(lambda: engine.requests)
        assert engine.requests[0].sampling.max_tokens == 16
        assert len(engine.requests[0].prompt.tokens) <= 256 - 16
        engine.finish_all()
        await ended(pool, request)
        notices = [f for f in frames_of(pool, request) if f["type"] == "gen.notice"]
        assert [notice["code"] for notice in notices] == ["context_trimmed"]
        assert notices[0]["turns"] >= 1


async def test_a_message_that_does_not_fit_is_told_with_numbers() -> None:
    """And the instance goes to the next at once."""
    async with running_pool(make_config(max_instances=1, n_ctx=256)) as (pool, engine):
        long, short = make_request("x" * 1000), make_request("short")
        pool.submit(long)
        pool.submit(short)
        await until(lambda: engine.running_ids == [short.generation])
        [end] = await ended(pool, long)
        assert (end["code"], end["retryable"]) == ("too_long", False)
        assert "256" not in end["text"] and "room" in end["text"]


async def test_first_come_first_served() -> None:
    """Positions are told, and fall until it is one's turn."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        requests = [make_request() for _ in range(4)]
        for request in requests:
            pool.submit(request)
        await until(lambda: engine.running_ids)
        seen: list[int] = []
        follower = asyncio.create_task(_positions(pool, requests[3], seen))
        await until(lambda: seen)
        for request in requests:
            await until(lambda wanted=request: engine.running_ids == [wanted.generation])
            engine.finish_all()
        await ended(pool, *requests)
        await follower
        assert seen == [3, 2, 1]
        assert [request.id for request in engine.requests] == [r.generation for r in requests]


async def _positions(pool: Pool, request: PoolRequest, seen: list[int]) -> None:
    log = await pool.find_log(request.generation)
    async for frame in log.follow():
        if frame["type"] == "gen.queue":
            seen.append(frame["position"])


async def test_requests_wait_while_the_model_loads() -> None:
    """And are told why."""
    async with running_pool(is_loading=True) as (pool, engine):
        request = make_request()
        pool.submit(request)
        follower = (await pool.find_log(request.generation)).follow()
        frames = [await anext(follower), await anext(follower)]
        assert types_of(frames) == ["created", "queue"]
        assert frames[1]["reason"] == "loading"
        assert pool.status().state is PoolState.LOADING
        engine.become_ready()
        await until(lambda: engine.running_ids)
        engine.finish_all()
        await ended(pool, request)


async def test_an_engine_that_is_not_quite_free() -> None:
    """The request goes back to the front of the line and is tried again."""
    async with running_pool() as (pool, engine):
        engine.is_deaf = True
        first, second = make_request(), make_request()
        pool.submit(first)
        await until(lambda: list(pool.line) == [first.generation])
        engine.is_deaf = False
        pool.submit(second)
        await until(lambda: len(engine.running_ids) == 2)
        assert engine.running_ids[0] == first.generation
        engine.finish_all()
        await ended(pool, first, second)
