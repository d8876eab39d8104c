"""Limits changed for a while: in force at once, back by themselves, known to the next process."""

from __future__ import annotations

import pytest

from ai_model.pool.errors import InflightLimit, QueueFull
from ai_model.pool.generation import Reduction
from ai_model.pool.orders import LimitOrder, Orders
from ai_model.pool.pool import Pool
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit
from ai_model.pool.temporary_limits import MAX_SECONDS, TemporaryLimits
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import Clock, make_config, make_request, running_pool, until
from tests.ai_model.pool.fake_engine import factory
from tests.ai_model.pool.readers import ended

HOUR_S = 3600.0


def make_limits(clock: Clock, unix: Clock) -> TemporaryLimits:
    """Return limits whose usual values are those of a small pool."""
    return TemporaryLimits(make_config(), clock=clock, unix_time=unix)


def test_a_change_ends_by_itself_and_nobody_moves_it_by_the_wall_clock() -> None:
    clock, unix = Clock(), Clock()
    limits = make_limits(clock, unix)
    limits.change(LimitName.MAX_TOKENS, 16, HOUR_S)
    assert limits.values()[LimitName.MAX_TOKENS] == 16
    assert limits.values()[LimitName.QUEUE_SIZE] == 3
    clock.advance(600)
    unix.advance(10 * HOUR_S)
    assert limits.expire() == []
    assert limits.listed() == (
        TemporaryLimit(name=LimitName.MAX_TOKENS, value=16, usual=64, left_s=3000.0),
    )
    clock.advance(3000)
    assert limits.expire() == [LimitName.MAX_TOKENS]
    assert limits.listed() == () and limits.values()[LimitName.MAX_TOKENS] == 64


def test_a_second_change_takes_the_place_of_the_first_and_undoing_is_idempotent() -> None:
    limits = make_limits(Clock(), Clock())
    limits.change(LimitName.QUEUE_SIZE, 0, HOUR_S)
    limits.change(LimitName.QUEUE_SIZE, 10, 60)
    assert [(one.value, one.left_s) for one in limits.listed()] == [(10, 60.0)]
    assert limits.undo(LimitName.QUEUE_SIZE) is True
    assert limits.undo(LimitName.QUEUE_SIZE) is False
    assert limits.values()[LimitName.QUEUE_SIZE] == 3


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        (LimitName.MAX_TOKENS, 15, HOUR_S),
        (LimitName.MAX_INFLIGHT, 0, HOUR_S),
        (LimitName.QUEUE_SIZE, 10_001, HOUR_S),
        (LimitName.QUEUE_SIZE, 1, 0.5),
        (LimitName.QUEUE_SIZE, 1, MAX_SECONDS + 1),
        (LimitName.QUEUE_SIZE, 1, float("nan")),
    ],
)
def test_what_cannot_be_is_refused(name: LimitName, value: int, seconds: float) -> None:
    limits = make_limits(Clock(), Clock())
    with pytest.raises(ValueError, match="can be"):
        limits.change(name, value, seconds)
    assert limits.listed() == ()


def test_the_next_process_goes_on_until_the_same_time() -> None:
    """Its monotonic clock is another one."""
    unix = Clock()
    first = make_limits(Clock(), unix)
    first.change(LimitName.QUEUE_SIZE, 1, HOUR_S)
    first.change(LimitName.MAX_TOKENS, 32, 60)
    orders = first.orders()
    unix.advance(100)
    clock = Clock()
    clock.now = 5.0
    second = make_limits(clock, unix)
    second.take_over(orders)
    assert [(one.name, one.value, one.left_s) for one in second.listed()] == [
        (LimitName.QUEUE_SIZE, 1, HOUR_S - 100)
    ]


def test_a_clock_that_was_set_back_makes_nothing_longer() -> None:
    unix = Clock()
    first = make_limits(Clock(), unix)
    first.change(LimitName.QUEUE_SIZE, 1, 60)
    orders = first.orders()
    unix.advance(-10 * HOUR_S)
    second = make_limits(Clock(), unix)
    second.take_over(orders)
    assert [one.left_s for one in second.listed()] == [60.0]


# In a pool


async def test_the_line_is_shorter_for_a_while() -> None:
    clock = Clock()
    async with running_pool(make_config(max_instances=1), clock=clock) as (pool, _):
        result = pool.controls.limit(LimitName.QUEUE_SIZE, 0, 60)
        assert result.text.startswith("queue_size is 0 for 60 s") and len(result.limits) == 1
        assert pool.status().queue_size == 0
        pool.submit(make_request())
        with pytest.raises(QueueFull):
            pool.submit(make_request())
        assert [one.left_s for one in pool.status().limits] == [60.0]
        clock.advance(61)
        pool.submit(make_request())
        assert pool.status().queue_size == 3 and pool.status().limits == ()


async def test_one_visitor_has_fewer_questions_open() -> None:
    async with running_pool() as (pool, _):
        pool.controls.limit(LimitName.MAX_INFLIGHT, 1, 60)
        pool.submit(make_request())
        with pytest.raises(InflightLimit):
            pool.submit(make_request())
        assert pool.controls.unlimit(LimitName.MAX_INFLIGHT).limits == ()
        pool.submit(make_request())


async def test_answers_that_begin_are_shorter() -> None:
    async with running_pool() as (pool, engine):
        pool.controls.limit(LimitName.MAX_TOKENS, 16, 60)
        pool.submit(make_request())
        await until(lambda: engine.requests)
        assert engine.requests[0].sampling.max_tokens == 16


async def test_the_model_sees_less_of_a_conversation_and_the_visitor_is_told() -> None:
    earlier = [ChatMessage(role, "word " * 20) for role in (Role.USER, Role.ASSISTANT)]
    talk = (*earlier, *earlier, ChatMessage(Role.USER, "Hello"))
    async with running_pool(make_config(n_ctx=1024)) as (pool, engine):
        whole, cut = [make_request(messages=talk) for _ in range(2)]
        pool.submit(whole)
        await until(lambda: engine.requests)
        pool.controls.limit(LimitName.CONTEXT, 256, 60)
        pool.submit(cut)
        await until(lambda: len(engine.requests) == 2)
        lengths = [len(one.prompt.tokens) for one in engine.requests]
        assert lengths[1] <= 256 < lengths[0]
        engine.finish_all()
        ends = await ended(pool, whole, cut)
        assert [end.get("reduced") for end in ends] == [None, str(Reduction.HISTORY)]


async def test_a_new_process_takes_memory_for_the_usual_context() -> None:
    """Or it could not go back."""
    limit = LimitOrder(name=LimitName.CONTEXT, value=256, ends_unix_s=1e12, max_left_s=60.0)
    make = factory()
    pool = Pool(make_config(), engine_factory=make, orders=Orders(limits=(limit,)))
    await pool.start()
    try:
        await until(lambda: pool.is_ready)
        assert pool.config.n_ctx == 256 and make.engine.config.n_ctx == 512
    finally:
        await pool.close()


async def test_a_resize_keeps_a_changed_limit_and_the_other_way_round() -> None:
    async with running_pool() as (pool, _):
        pool.controls.limit(LimitName.QUEUE_SIZE, 1, 60)
        pool.controls.resize(3)
        assert (pool.config.queue_size, pool.config.max_instances) == (1, 3)
        pool.controls.unlimit(LimitName.QUEUE_SIZE)
        assert (pool.config.queue_size, pool.config.max_instances) == (3, 3)


async def test_the_orders_of_an_earlier_process_hold_from_the_first_request_on() -> None:
    limit = LimitOrder(name=LimitName.QUEUE_SIZE, value=0, ends_unix_s=1e12, max_left_s=60.0)
    told: list[Orders] = []
    clock = Clock()
    pool = Pool(
        make_config(),
        engine_factory=factory(),
        clock=clock,
        orders=Orders(limits=(limit,)),
        on_orders=told.append,
    )
    assert pool.status().queue_size == 0
    clock.advance(61)
    pool.controls.look()
    assert pool.status().queue_size == 3
    assert told[-1].limits == (), "the next process would be told again"
