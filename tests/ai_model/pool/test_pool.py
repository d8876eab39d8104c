"""The pool's rules: who gets an instance, who waits, who is refused, and how everything ends."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.pool.errors import (
    InflightLimit,
    NoModel,
    QueueFull,
    UnknownGeneration,
)
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState
from tests.ai_model.pool.builders import (
    Clock,
    check_log,
    make_config,
    make_request,
    running_pool,
    text_of,
    until,
)
from tests.ai_model.pool.readers import ended, frames_of, is_ended


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
        assert 10 < (refusal.value.retry_after_s or 0) <= 60.0


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


async def test_stop_of_a_stranger() -> None:
    """Is an error, so that a typo is noticed."""
    async with running_pool() as (pool, _):
        with pytest.raises(UnknownGeneration):
            pool.stop(str(uuid.uuid4()))
        pool.acknowledge(str(uuid.uuid4()))


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
