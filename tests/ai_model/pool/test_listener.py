"""What the engine says arrives whole, in order and not too often."""

from __future__ import annotations

from ai_model.engine.request import SamplingParams
from tests.ai_model.pool.builders import (
    make_request,
    running_pool,
    text_of,
    types_of,
    until,
)
from tests.ai_model.pool.readers import ended, frames_of


async def test_fast_tokens_travel_together() -> None:
    """And none stays behind when the engine pauses."""
    async with running_pool(script=["a"] * 40) as (pool, engine):
        request = make_request(sampling=SamplingParams(max_tokens=60))
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.step(40)
        await until(lambda: len(text_of(frames_of(pool, request))) == 40)
        deltas = [f for f in frames_of(pool, request) if f["type"] == "gen.delta"]
        assert 2 <= len(deltas) <= 6


async def test_going_on_behind_produced_tokens() -> None:
    """The engine gets them, and the log continues at the right offset."""
    async with running_pool() as (pool, engine):
        request = make_request(produced=(100, 101), produced_text="The pool ")
        pool.submit(request)
        await until(lambda: engine.running_ids)
        assert engine.requests[0].produced == (100, 101)
        engine.finish_all()
        await ended(pool, request)
        assert text_of(frames_of(pool, request)) == "The pool answers you."
        assert types_of(frames_of(pool, request))[:3] == ["created", "started", "delta"]
