"""The pool's rules: who gets an instance, who waits, who is refused, and how everything ends."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.engine.events import Progress
from ai_model.engine.request import SamplingParams
from ai_model.pool import pool as pool_module
from ai_model.pool.deadlines import HUNG_S
from ai_model.pool.errors import (
    InflightLimit,
    NoModel,
    PoolUnavailable,
    QueueFull,
    UnknownGeneration,
)
from ai_model.pool.frames import Frame
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import (
    Clock,
    check_log,
    make_config,
    make_request,
    running_pool,
    text_of,
    types_of,
    until,
)


def frames_of(pool: Pool, request: PoolRequest) -> list[Frame]:
    """Return the durable frames so far."""
    log = pool.logs.find(request.generation)
    assert log is not None
    return log.replay()


def is_ended(pool: Pool, request: PoolRequest) -> bool:
    """Return whether the terminal frame is there."""
    log = pool.logs.find(request.generation)
    return log is not None and log.is_ended


async def ended(pool: Pool, *requests: PoolRequest) -> list[Frame]:
    """Wait for the ends of requests; returns their terminal frames."""
    await until(lambda: all(is_ended(pool, request) for request in requests))
    return [check_log(frames_of(pool, request)) for request in requests]


async def test_an_answer() -> None:
    """From submission to the last frame, with a count and a place given back."""
    answered: list[int] = []
    async with running_pool(on_answered=lambda: answered.append(1)) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        assert pool.status().num_running == 1
        engine.finish_all()
        [end] = await ended(pool, request)
        assert (end["type"], end["reason"]) == ("gen.done", "stop")
        assert text_of(frames_of(pool, request)) == "The pool answers you."
        assert answered == [1]
        await until(lambda: pool.num_free == 2)
        status = pool.status()
        assert (status.num_done, status.num_accepted, status.num_running) == (1, 1, 0)
        assert status.outcomes == {"done": 1}
        assert status.wait_p50_s is not None and status.ttft_p95_s is not None


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


async def test_refusals() -> None:
    """The line and the visitor have limits; refusing changes nothing for the others."""
    config = make_config(max_instances=1, queue_size=2, max_inflight_per_visitor=2)
    async with running_pool(config) as (pool, engine):
        for _ in range(2):
            pool.submit(make_request(visitor="a"))
        with pytest.raises(InflightLimit):
            pool.submit(make_request(visitor="a"))
        pool.submit(make_request(visitor="b"))
        with pytest.raises(QueueFull) as refusal:
            pool.submit(make_request(visitor="c"))
        assert refusal.value.retry_after_s == 5.0
        assert pool.status().num_refused == 2
        await until(lambda: engine.running_ids)
        for _ in range(3):
            await until(lambda: engine.running_ids)
            engine.finish_all()
            await asyncio.sleep(0)
        await until(lambda: pool.status().num_done == 3)
        pool.submit(make_request(visitor="a"))


async def test_a_wait_beyond_the_deadline_is_refused_at_once() -> None:
    """Nobody is let in only to be thrown out later."""
    config = make_config(max_instances=1, timeout_s=10.0)
    async with running_pool(config) as (pool, _):
        for _ in range(5):
            pool.estimator.record_run(60.0)
        pool.submit(make_request())
        with pytest.raises(QueueFull) as refusal:
            pool.submit(make_request())
        assert refusal.value.retry_after_s == 60.0


async def test_submitting_again_changes_nothing() -> None:
    """Whether the generation waits, runs or has ended."""
    async with running_pool() as (pool, engine):
        request = make_request()
        pool.submit(request)
        pool.submit(request)
        await until(lambda: engine.running_ids)
        pool.submit(request)
        engine.finish_all()
        await ended(pool, request)
        pool.submit(request)
        assert len(engine.requests) == 1
        assert pool.status().num_accepted == 1


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


async def test_an_answer_that_was_complete_already() -> None:
    """The earlier pool died between the last token and saying so."""
    async with running_pool(make_config(max_tokens=2)) as (pool, engine):
        request = make_request(produced=(100, 101), produced_text="The pool ")
        pool.submit(request)
        [end] = await ended(pool, request)
        assert (end["reason"], end["chars"]) == ("length", 9)
        assert engine.requests == []
        assert pool.num_free == 2


# Loading and failing


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


async def test_a_model_that_cannot_be_loaded() -> None:
    """Ends what waits, refuses what comes, and is said in the status."""
    async with running_pool(is_loading=True) as (pool, engine):
        request = make_request()
        pool.submit(request)
        engine.fail("The file is empty.")
        [end] = await ended(pool, request)
        assert (end["code"], end["retryable"]) == ("no_model", False)
        with pytest.raises(NoModel, match=r"The file is empty\."):
            pool.submit(make_request())
        status = pool.status()
        assert (status.state, status.reason) == (PoolState.FAILED, "The file is empty.")
        assert status.num_available == 0


async def test_an_engine_that_cannot_even_be_made() -> None:
    """For example because llama.cpp is not installed."""

    def explode(*_: object) -> Any:
        raise ImportError("no module named llama_cpp")

    pool = Pool(make_config(), engine_factory=explode)
    await pool.start()
    await until(lambda: pool.status().state is PoolState.FAILED)
    assert "llama_cpp" in pool.status().reason
    await pool.close()


async def test_an_engine_that_breaks_down() -> None:
    """Asks for a new process when there is somebody to ask, and else fails what it has."""
    broken: list[str] = []
    async with running_pool(on_broken=broken.append) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine._enter(engine.state.__class__("failed"))
        await until(lambda: broken)
    async with running_pool() as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.step()
        engine.fail("It broke.")
        [end] = await ended(pool, request)
        assert (end["code"], end["partial"], end["retryable"]) == ("internal", True, True)
        with pytest.raises(NoModel):
            pool.submit(make_request())


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


# Stopping


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


async def test_stop_when_the_engine_does_not_answer() -> None:
    """The reader gets the end soon; the instance stays taken until the engine lets go."""
    clock = Clock()
    async with running_pool(clock=clock) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.ignores_cancel = True
        pool.stop(request.generation)
        clock.advance(pool_module.CANCEL_PATIENCE_S + 0.1)
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


async def test_stop_of_a_stranger() -> None:
    """Is an error, so that a typo is noticed."""
    async with running_pool() as (pool, _):
        with pytest.raises(UnknownGeneration):
            pool.stop(str(uuid.uuid4()))
        pool.acknowledge(str(uuid.uuid4()))


# Deadlines


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
        assert (end["type"], end["code"]) == ("gen.error", "deadline")
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


# Closing


async def test_draining() -> None:
    """What waits is handed back, what runs may finish, what comes is refused."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        running, waiting = make_request(), make_request()
        pool.submit(running)
        pool.submit(waiting)
        await until(lambda: engine.running_ids)
        drain = asyncio.create_task(pool.drain(5.0))
        [end] = await ended(pool, waiting)
        assert (end["code"], end["retryable"]) == ("pool_lost", True)
        with pytest.raises(PoolUnavailable):
            pool.submit(make_request())
        assert pool.status().state is PoolState.DRAINING
        engine.finish_all()
        await drain
        [end] = await ended(pool, running)
        assert end["reason"] == "stop"


async def test_draining_has_a_limit() -> None:
    """An answer that is too long for it ends with what it has."""
    async with running_pool() as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.step(2)
        await pool.drain(0.05)
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


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["submit", "step", "stop", "time", "yield"]), st.integers(0, 5)),
        max_size=40,
    )
)
def test_the_books_balance(acts: list[tuple[str, int]]) -> None:
    """Whatever happens: every accepted request gets one end, and every instance comes back."""

    async def run() -> None:
        clock = Clock()
        async with running_pool(clock=clock) as (pool, engine):
            requests: list[PoolRequest] = []
            for act, number in acts:
                if act == "submit":
                    request = make_request(visitor=f"v{number}")
                    try:
                        pool.submit(request)
                    except QueueFull:
                        continue
                    requests.append(request)
                elif act == "step":
                    engine.step(number)
                elif act == "stop" and number < len(requests):
                    pool.stop(requests[number].generation, number)
                elif act == "time":
                    clock.advance(number)
                else:
                    await asyncio.sleep(0.001)
            while not all(is_ended(pool, request) for request in requests):
                engine.step()
                await asyncio.sleep(0)
            await until(lambda: pool.num_free == 2)
            for request in requests:
                check_log(frames_of(pool, request))
            status = pool.status()
            assert status.num_accepted == len(requests) == sum(status.outcomes.values())
            assert (status.num_running, status.num_waiting) == (0, 0)

    asyncio.run(run())
