"""The books of a pool: whatever happens is counted once, and under its name."""

from __future__ import annotations

import pytest

from ai_model.engine.events import Delta, Started
from ai_model.pool.errors import Paused, QueueFull
from ai_model.pool.generation import DoneReason, Generation
from ai_model.pool.register import Register
from tests.ai_model.pool.builders import Clock, make_config, make_request, running_pool, until
from tests.ai_model.pool.readers import ended


def opened(register: Register, now: float = 100.0) -> Generation:
    """Return a new generation in line."""
    request = make_request()
    register.open(request, now, num_free=0)
    return register.live[request.generation]


async def test_a_life_in_the_books() -> None:
    """From the line into an instance and out of it."""
    register = Register(make_config())
    first, second = opened(register), opened(register)
    assert [one.id for one in register.waiting(105.0)] == [first.id, second.id]
    assert register.take_next(101.0) is first
    assert list(register.held) == [first.id]
    register.give_back(first)
    assert [one.id for one in register.waiting(105.0)] == [first.id, second.id]
    assert register.held == {}
    register.take_next(103.0)
    first.start(
        Started(request_id=first.id, instance=0, num_prompt_tokens=20, num_cached_tokens=5), "M"
    )
    first.add(Delta(request_id=first.id, tokens=(1, 2), text="Hi"), 104.0)
    first.finish(DoneReason.STOP, 105.0)
    register.close(first, 105.0)
    register.release(first, 105.0)
    statistics = register.statistics
    assert (statistics.num_accepted, dict(statistics.outcomes)) == (2, {"done": 1})
    tokens = (statistics.num_prompt_tokens, statistics.num_cached_tokens)
    assert (*tokens, statistics.num_generated_tokens) == (20, 5, 2)
    assert register.leave_line(second) and not register.leave_line(second)
    await register.wait_until_empty(0.0)
    assert second.id in register.live


async def test_who_waited_too_long_leaves_the_line() -> None:
    """The others stay."""
    register = Register(make_config(timeout_s=10.0))
    early, late = opened(register, 100.0), opened(register, 105.0)
    assert register.expire(109.0) == []
    assert register.expire(111.0) == [early]
    assert register.waiting(111.0) == [late]


async def test_a_refusal_is_no_entry() -> None:
    """The line is as it was."""
    register = Register(make_config(queue_size=1))
    opened(register)
    with pytest.raises(QueueFull) as refusal:
        opened(register)
    register.refuse(refusal.value)
    assert (len(register.line), len(register.live)) == (1, 1)
    assert dict(register.statistics.refusals) == {"queue_full": 1}
    assert dict(register.statistics.refusal_reasons) == {"requests": 1}
    register.refuse(Paused("Back at noon."))
    assert register.statistics.refusal_reasons["paused"] == 1


async def test_ends_by_their_reasons() -> None:
    """Errors, deadlines, and how long a cancel took."""
    clock = Clock()
    async with running_pool(make_config(max_instances=1), clock=clock) as (pool, engine):
        stopped, failed, late = (make_request() for _ in range(3))
        pool.submit(stopped)
        await until(lambda: engine.running_ids)
        engine.ignores_cancel = True
        pool.stop(stopped.generation)
        clock.advance(0.5)
        engine.release(stopped.generation)
        await ended(pool, stopped)
        pool.submit(failed)
        await until(lambda: engine.running_ids)
        pool.submit(late)
        clock.advance(121)
        await ended(pool, late)
        status = pool.status()
        assert status.cancel_p95_s == 0.5
        assert status.errors["queue_timeout"] == 1
        assert status.deadlines["queue"] == 1
        assert status.oldest_wait_s == 0.0
