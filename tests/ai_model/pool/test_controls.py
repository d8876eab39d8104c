"""What an operator may do to a running pool; nobody who was let in is harmed by it."""

from __future__ import annotations

import uuid

import pytest

from ai_model.pool.control_result import ControlResult, Intake
from ai_model.pool.controls import DEFAULT_MESSAGE, MAX_LISTED, MAX_MESSAGE_CHARS
from ai_model.pool.errors import Paused, PoolError, PoolUnavailable, UnknownGeneration
from ai_model.pool.status import ORPHAN_S, PoolState
from tests.ai_model.pool.builders import Clock, make_config, make_request, running_pool, until
from tests.ai_model.pool.readers import ended

# Intake


async def test_pause_and_resume() -> None:
    """What waits and runs goes on; what comes is told what the operator says."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        running, waiting = make_request(), make_request()
        pool.submit(running)
        pool.submit(waiting)
        result = pool.controls.pause("Back at  noon.\nThe team\x00")
        assert (result.is_done, result.intake) == (True, Intake.PAUSED)
        assert result.message == "Back at noon. The team."
        assert (result.num_running, result.num_waiting, result.max_instances) == (1, 1, 1)
        with pytest.raises(Paused) as refusal:
            pool.submit(make_request())
        assert (refusal.value.code, refusal.value.text) == ("paused", "Back at noon. The team.")
        assert refusal.value.retry_after_s
        pool.submit(running)  # known already
        assert pool.status().state is PoolState.PAUSED
        assert pool.status().notice == "Back at noon. The team."
        assert pool.status().num_refused == 1
        for request in (running, waiting):
            await until(lambda wanted=request: engine.running_ids == [wanted.generation])
            engine.finish_all()
        assert [end["reason"] for end in await ended(pool, running, waiting)] == ["stop", "stop"]
        assert pool.controls.pause().message == DEFAULT_MESSAGE
        assert len(pool.controls.pause("long " * 1000).message) <= MAX_MESSAGE_CHARS + 1
        assert pool.controls.resume().intake is Intake.OPEN
        assert pool.controls.resume().intake is Intake.OPEN
        pool.submit(make_request())
        assert pool.status().state is PoolState.READY


async def test_drain_and_resume() -> None:
    """What is there is finished; what comes is refused as by a pool that is about to end."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        requests = [make_request() for _ in range(2)]
        for request in requests:
            pool.submit(request)
        result = pool.controls.drain()
        assert result.intake is Intake.DRAINING and "2 requests will be finished" in result.text
        with pytest.raises(PoolUnavailable) as refusal:
            pool.submit(make_request())
        assert refusal.value.retry_after_s
        assert pool.status().state is PoolState.DRAINING
        for request in requests:
            await until(lambda wanted=request: engine.running_ids == [wanted.generation])
            engine.finish_all()
        assert [end["reason"] for end in await ended(pool, *requests)] == ["stop", "stop"]
        await until(lambda: pool.num_running == 0)
        assert "empty" in pool.controls.drain().text
        assert pool.controls.pause("Closed.").intake is Intake.PAUSED
        assert pool.controls.resume().message == ""
        pool.submit(make_request())


async def test_a_pool_that_shuts_down_cannot_be_opened_again() -> None:
    """Its clients must look for the next one."""
    async with running_pool() as (pool, _):
        await pool.finish(0.1)
        pool.controls.resume()
        with pytest.raises(PoolUnavailable, match="shutting down"):
            pool.submit(make_request())
        pool.controls.pause("No.")
        with pytest.raises(PoolUnavailable, match="shutting down"):
            pool.submit(make_request())
        assert pool.status().state is PoolState.DRAINING


async def test_answers_of_an_earlier_pool_may_come_in() -> None:
    """They were promised an end; only new questions are refused."""
    async with running_pool(make_config(max_instances=1)) as (pool, _):
        for close in (pool.controls.pause, pool.controls.drain):
            close()
            pool.submit(make_request(is_resumed=True))
            pool.submit(make_request(produced=(100,), produced_text="The "))
            with pytest.raises(PoolError):
                pool.submit(make_request())


# Size


async def test_resize_lets_running_answers_go_on() -> None:
    """Both ways, and the line moves up at once when there is room."""
    async with running_pool(make_config(max_instances=2)) as (pool, engine):
        requests = [make_request() for _ in range(4)]
        for request in requests:
            pool.submit(request)
        await until(lambda: len(engine.running_ids) == 2)
        result = pool.controls.resize(4)
        assert (result.num_instances, result.max_instances, engine.sizes) == (4, 4, [4])
        assert pool.config.max_instances == 4
        await until(lambda: len(engine.running_ids) == 4)
        engine.step()
        assert "4 requests still run" in pool.controls.resize(1).text
        assert pool.controls.resize(1).max_instances == 1
        assert (engine.sizes, pool.num_free) == ([4, 1], 0)
        waiting = make_request()
        pool.submit(waiting)
        engine.finish_all()
        assert {end["reason"] for end in await ended(pool, *requests)} == {"stop"}
        assert engine.cancelled == []
        await until(lambda: engine.running_ids == [waiting.generation])
        assert (pool.status().num_instances, pool.status().max_instances) == (1, 1)


@pytest.mark.parametrize("number", [0, -1, 129])
async def test_a_size_that_no_pool_can_have(number: int) -> None:
    """Changes nothing."""
    async with running_pool() as (pool, engine):
        with pytest.raises(ValueError, match="1 to 128"):
            pool.controls.resize(number)
        assert (pool.num_instances, engine.sizes) == (2, [])


async def test_resize_bounds_the_hot_number_too() -> None:
    """A hot number beyond the limit means all."""
    async with running_pool(make_config(max_instances=4, hot_instances=3)) as (pool, _):
        assert pool.controls.resize(2).num_instances == 2
        assert (pool.config.max_instances, pool.config.hot_instances) == (2, 2)
        assert pool.controls.resize(4).num_instances == 3


# Who waits


async def test_the_line_as_the_operator_sees_it() -> None:
    """Places, times and short names; never a text, never a whole key."""
    clock = Clock()
    key = "31a0c2" + "f" * 26
    async with running_pool(make_config(max_instances=1), clock=clock) as (pool, _):
        assert pool.controls.list_waiting() == ()
        requests = [make_request("A secret question", visitor=key) for _ in range(3)]
        for request in requests:
            pool.submit(request)
            clock.advance(2)
        waiting = pool.controls.list_waiting()
        assert [one.position for one in waiting] == [1, 2]
        assert [one.generation for one in waiting] == [one.generation for one in requests[1:]]
        assert [one.waited_s for one in waiting] == [4.0, 2.0]
        assert {one.visitor for one in waiting} == {"v-31a0c2"}
        assert waiting[0].eta_p50_s is None
        for _ in range(10):
            pool.estimator.record_run(5.0)
        first, second = pool.controls.list_waiting()
        assert 0 < (first.eta_p50_s or 0) <= (first.eta_p90_s or 0)
        assert (first.eta_p90_s or 0) <= (second.eta_p90_s or 0)
        shown = str([one.to_json() for one in waiting])
        assert "secret" not in shown and key not in shown


async def test_a_very_long_line_fits_into_a_frame() -> None:
    """The rest is a number."""
    config = make_config(
        max_instances=1,
        queue_size=1200,
        max_inflight_per_visitor=2000,
        max_waiting_tokens=2**30,
    )
    async with running_pool(config, is_loading=True) as (pool, _):
        for _ in range(1100):
            pool.submit(make_request())
        assert len(pool.controls.list_waiting()) == MAX_LISTED
        assert pool.controls.resume().num_waiting == 1100


async def test_cancel() -> None:
    """In line and while running; the books know that it was not the visitor."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        running, waiting = make_request(), make_request()
        pool.submit(running)
        pool.submit(waiting)
        await until(lambda: engine.running_ids)
        engine.step(2)
        assert pool.controls.cancel(waiting.generation).num_waiting == 0
        pool.controls.cancel(running.generation)
        for end in await ended(pool, running, waiting):
            assert (end["type"], end["reason"]) == ("gen.done", "user_stop")
        assert pool.status().outcomes == {"cancelled": 2}
        assert "already" in pool.controls.cancel(running.generation).text
        with pytest.raises(UnknownGeneration):
            pool.controls.cancel(str(uuid.uuid4()))


async def test_a_visitors_own_stop_stays_the_visitors() -> None:
    """Whoever came first ended it."""
    async with running_pool() as (pool, engine):
        engine.ignores_cancel = True
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        pool.stop(request.generation)
        pool.controls.cancel(request.generation)
        engine.release(request.generation)
        await ended(pool, request)
        assert pool.status().outcomes == {"user_stop": 1}


# The front of the line


async def test_a_request_that_is_moved_gets_the_next_instance() -> None:
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        first, second, third, last = requests = [make_request(visitor=name * 32) for name in "abcd"]
        for request in requests:
            pool.submit(request)
        await until(lambda: engine.running_ids == [first.generation])
        result = pool.controls.move_to_front(last.generation)
        assert (result.is_done, result.text) == (True, "It is the next of 3 in line.")
        order = [one.generation for one in pool.controls.list_waiting()]
        assert order == [last.generation, second.generation, third.generation]
        assert pool._register.live[second.generation]._shown_place == (2, 3, "priority")
        engine.release(first.generation)
        await until(lambda: engine.running_ids == [last.generation])
        late = pool.controls.move_to_front(last.generation)
        assert (late.is_done, late.text) == (False, "It does not wait any more.")
        with pytest.raises(UnknownGeneration):
            pool.controls.move_to_front(str(uuid.uuid4()))


async def test_who_has_enough_running_is_told_to_wait() -> None:
    config = make_config(max_instances=2, max_running_per_visitor=1, max_inflight_per_visitor=3)
    async with running_pool(config) as (pool, engine):
        own, blocker = make_request(visitor="a" * 32), make_request(visitor="b" * 32)
        again, other = make_request(visitor="a" * 32), make_request(visitor="c" * 32)
        for request in (own, blocker, again, other):
            pool.submit(request)
        await until(lambda: len(engine.running_ids) == 2)
        result = pool.controls.move_to_front(again.generation)
        assert result.is_done and result.text.startswith("It is at place 2 of 2: its visitor")


# Who watches


async def test_only_running_answers_without_a_reader_are_orphans() -> None:
    clock = Clock()
    config = make_config(max_instances=2, total_timeout_s=1000, stall_timeout_s=1000,
                         first_token_timeout_s=1000, timeout_s=1000)  # fmt: skip
    async with running_pool(config, clock=clock) as (pool, engine):
        alone, watched, waiting = requests = [make_request(visitor=name * 32) for name in "abc"]
        for request in requests:
            pool.submit(request)
        await until(lambda: len(engine.running_ids) == 2)
        with pool.watching(watched.generation):
            clock.advance(ORPHAN_S - 1)
            assert pool.status().num_orphans == 0
            assert pool.controls.cancel_orphans().text == "Every running answer has a reader."
            clock.advance(1)
            by_id = {one.generation: one for one in pool.status().instances}
            assert by_id[alone.generation].unwatched_s == ORPHAN_S
            assert by_id[watched.generation].unwatched_s is None
            assert pool.status().num_orphans == 1
            result = pool.controls.cancel_orphans()
            assert result.text == "Ended 1 answer that nobody watched."
            (end,) = await ended(pool, alone)
            assert (end["type"], end["reason"]) == ("gen.done", "user_stop")
            await until(lambda: sorted(engine.running_ids) == sorted(
                [watched.generation, waiting.generation]))  # fmt: skip
        assert pool.status().outcomes == {"cancelled": 1}


async def test_the_unwatched_end_first_and_only_after_a_while() -> None:
    """A reader that leaves ends nothing by itself, and one that comes back is safe."""
    clock = Clock()
    config = make_config(max_instances=4, total_timeout_s=1000, stall_timeout_s=1000,
                         first_token_timeout_s=1000)  # fmt: skip
    async with running_pool(config, clock=clock) as (pool, engine):
        never, left, back, watched = requests = [make_request() for _ in range(4)]
        for request in requests:
            pool.submit(request)
        await until(lambda: len(engine.running_ids) == 4)
        with pool.watching(watched.generation), pool.watching(back.generation):
            with pool.watching(left.generation), pool.watching(left.generation):
                clock.advance(20)
            assert pool.controls.end_unwatched(9, grace_s=30) == 0
            clock.advance(20)
            assert pool.controls.end_unwatched(0, grace_s=30) == 0
            assert pool.controls.end_unwatched(1, grace_s=15) == 1
            await ended(pool, never)
            assert pool.controls.end_unwatched(9, grace_s=15) == 1
            await ended(pool, left)
            clock.advance(1000)
            assert pool.controls.end_unwatched(9, grace_s=15) == 0
        clock.advance(10)
        with pool.watching(back.generation):
            engine.ignores_cancel = True
            assert pool.controls.end_unwatched(9, grace_s=0) == 1
            assert pool.controls.end_unwatched(9, grace_s=0) == 0, "it is told to end already"
            engine.release(watched.generation)
        await ended(pool, watched)
        assert engine.running_ids == [back.generation]
        assert pool.status().outcomes == {"cancelled": 3}
    with pool.watching(str(uuid.uuid4())):
        pass


def test_a_result_travels() -> None:
    """And an intake of a later release does not break anything."""
    result = ControlResult(text="Done.", intake=Intake.PAUSED, message="m", num_waiting=3)
    assert ControlResult.from_json(result.to_json()) == result
    odd = ControlResult.from_json({"text": "x", "is_done": False, "intake": "ajar", "more": 1})
    assert (odd.is_done, odd.intake) == (False, Intake.OPEN)
