"""Every kind of time is measured where it happens, once."""

from __future__ import annotations

from itertools import pairwise

from ai_model.engine.events import Delta, Finished, FinishReason
from ai_model.pool.eta import Eta
from ai_model.pool.histogram import MAX_BUCKETS
from ai_model.pool.latencies import BOUNDS, Latencies, Latency
from ai_model.pool.pool import Pool
from ai_model.pool.register import Register
from ai_model.pool.wait_record import Wait
from tests.ai_model.pool.builders import Clock, make_config, make_request, running_pool, until
from tests.ai_model.pool.readers import ended


def measured(pool: Pool, kind: Latency) -> tuple[int, float]:
    """Return how many there are in the status, and their sum."""
    figures = pool.status().latencies[kind]
    return figures.num_values, round(figures.total, 3)


def test_bounds_of_every_kind() -> None:
    """Ascending, and few enough to travel with each status."""
    assert set(BOUNDS) == set(Latency)
    for bounds in BOUNDS.values():
        assert 5 <= len(bounds) <= MAX_BUCKETS
        assert all(low < high for low, high in pairwise(bounds))


def test_kinds_are_kept_apart() -> None:
    latencies = Latencies()
    latencies.add(Latency.QUEUE, 0.3)
    latencies.add(Latency.INTER_TOKEN, 0.03, 5)
    figures = latencies.figures()
    assert set(figures) == set(map(str, Latency))
    assert figures["queue"].num_values == 1
    assert figures["inter_token"].num_values == 5
    assert figures["answer"].num_values == 0


async def test_one_answer() -> None:
    """With a second in line before it."""
    clock = Clock()
    options = {"clock": clock, "script": ["a", "b", "c"]}
    async with running_pool(make_config(max_instances=1), **options) as (pool, engine):
        first, second = make_request(), make_request()
        pool.submit(first)
        await until(lambda: engine.running_ids)
        pool.submit(second)
        clock.advance(2.0)
        engine.step(1)
        await until(lambda: measured(pool, Latency.FIRST_TEXT) == (1, 2.0))
        clock.advance(0.25)
        engine.step(1)
        await until(lambda: measured(pool, Latency.INTER_TOKEN) == (1, 0.25))
        clock.advance(0.75)
        engine.finish_all()
        await ended(pool, first)
        await until(lambda: engine.running_ids)
        assert measured(pool, Latency.ANSWER) == (1, 3.0)
        # The first one did not wait, the second one until the first one was done.
        await until(lambda: measured(pool, Latency.QUEUE) == (2, 3.0))
        clock.advance(5.0)
        engine.finish_all()
        await ended(pool, second)
        assert measured(pool, Latency.ANSWER) == (2, 11.0)
        assert measured(pool, Latency.CANCEL)[0] == 0


async def test_a_stopped_answer_is_no_whole_answer() -> None:
    """But its cancel is timed."""
    clock = Clock()
    async with running_pool(clock=clock) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.ignores_cancel = True
        pool.stop(request.generation)
        clock.advance(0.5)
        engine.release(request.generation)
        await ended(pool, request)
        assert measured(pool, Latency.CANCEL) == (1, 0.5)
        assert measured(pool, Latency.ANSWER) == (0, 0.0)


async def test_tokens_that_come_together() -> None:
    """Share their gap; what carries no token is no gap."""
    clock = Clock()
    async with running_pool(clock=clock) as (pool, engine):
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        # The last gap begins at the tokens before it: 0.5 + 0.25 s.
        steps = [((1, 2), 1.0), ((3, 4, 5, 6), 0.8), ((), 0.5), ((7,), 0.25)]
        for tokens, pause_s in steps:
            clock.advance(pause_s)
            engine.tell(Delta(request_id=request.generation, tokens=tokens, text="x"))
            await until(lambda number=clock.now: pool._listener.progress_at == number)
        assert measured(pool, Latency.INTER_TOKEN) == (5, 1.55)
        engine.finish_all()
        await ended(pool, request)


async def test_the_engines_own_times() -> None:
    """A prompt that was never read took no time, and would only hide those that did."""
    async with running_pool() as (pool, engine):
        for prefill_s, decode_s in [(1.5, 4.0), (0.0, 0.0), (0.5, 0.0)]:
            request = make_request()
            pool.submit(request)
            await until(lambda one=request: one.generation in engine.running_ids)
            engine.tell(
                Finished(
                    request_id=request.generation,
                    reason=FinishReason.STOP,
                    prefill_s=prefill_s,
                    decode_s=decode_s,
                )
            )
            await ended(pool, request)
            engine.finish_all()
        assert measured(pool, Latency.PREFILL) == (2, 2.0)
        assert measured(pool, Latency.DECODE) == (1, 4.0)


def test_errors_of_promises() -> None:
    """Too short and too long are both wrong; without a promise there is nothing to compare."""
    register = Register(make_config())
    promised = Eta(10.0, 20.0)
    for wait in (Wait(promised, 7.0), Wait(promised, 12.5), None):
        register.learn(wait)
    register.learn(Wait(promised, 30.0, is_given_up=True))
    figures = register.statistics.latencies.figures()[Latency.ETA_ERROR]
    assert (figures.num_values, figures.total) == (3, 25.5)


async def test_every_pool_has_a_life_of_its_own() -> None:
    async with running_pool() as (one, _), running_pool() as (other, _):
        lives = {one.status().life, one.status().life, other.status().life}
        assert len(lives) == 2 and "" not in lives
