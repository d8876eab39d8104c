"""Warm-ups use what is idle and are in nobody's way and in no count."""

from __future__ import annotations

from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import make_config, make_request, running_pool, until

HISTORY = (
    ChatMessage(Role.USER, "What is a pool?"),
    ChatMessage(Role.ASSISTANT, "Many instances."),
    ChatMessage(Role.USER, "Go on."),
)


async def test_an_idle_instance_reads_a_conversation() -> None:
    """The engine gets it as a warm-up; the pool counts, logs and lines up nothing."""
    async with running_pool() as (pool, engine):
        request = make_request(conversation="c", visitor="v", messages=HISTORY)
        assert pool.warm(request)
        assert not pool.warm(request), "it is being read"
        await until(lambda: engine.warm_ups)
        [warm_up] = engine.warm_ups
        assert warm_up.is_warm_up
        assert (warm_up.conversation, warm_up.visitor) == ("c", "v")
        assert request.generation not in pool.logs
        status = pool.status()
        assert (status.num_accepted, status.num_running, status.num_waiting) == (0, 0, 0)
        assert pool.num_free == 2
        engine.finish_warm_ups()
        await until(lambda: pool.warm(request))


async def test_nothing_happens_when_nothing_is_idle() -> None:
    """Or when the conversation is being answered, or the pool takes nothing."""
    async with running_pool(make_config(max_instances=2)) as (pool, engine):
        first = make_request(conversation="a")
        pool.submit(first)
        assert not pool.warm(make_request(conversation="a"))
        pool.submit(make_request(conversation="b"))
        assert not pool.warm(make_request(conversation="c"))
        await until(lambda: len(engine.running_ids) == 2)
        engine.finish_all()
        await until(lambda: pool.num_running == 0)
        pool.controls.pause("Back soon.")
        assert not pool.warm(make_request(conversation="c"))
        pool.controls.resume()
        assert pool.warm(make_request(conversation="c"))
        assert pool.warm(make_request(conversation="d"))
        assert not pool.warm(make_request(conversation="e")), "two instances, two warm-ups"
    assert not pool.warm(make_request(conversation="f"))


async def test_no_model_is_loaded_for_a_warm_up() -> None:
    """It is not worth it."""
    async with running_pool(is_loading=True) as (pool, engine):
        assert not pool.warm(make_request())
        assert engine.warm_ups == []


async def test_a_conversation_that_does_not_fit_is_forgotten() -> None:
    """As is one that the engine does not want; another try is allowed."""
    async with running_pool(make_config(n_ctx=256)) as (pool, engine):
        too_long = make_request("x" * 1000, conversation="c")
        assert pool.warm(too_long)
        await until(lambda: pool.warm(too_long))
        engine.is_deaf = True
        unwanted = make_request(conversation="d")
        assert pool.warm(unwanted)
        await until(lambda: pool.warm(unwanted))
        assert engine.warm_ups == []


async def test_requests_come_first() -> None:
    """A pool full of warm-ups has all its instances free."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        assert pool.warm(make_request(conversation="a"))
        await until(lambda: engine.warm_ups)
        request = make_request(conversation="b")
        pool.submit(request)
        await until(lambda: engine.running_ids == [request.generation])


async def test_a_question_that_comes_while_its_warm_up_is_prepared() -> None:
    """Is the only one that reads."""
    async with running_pool() as (pool, engine):
        warm, request = make_request(conversation="c"), make_request(conversation="c")
        assert pool.warm(warm)
        pool.submit(request)
        await until(lambda: engine.running_ids == [request.generation])
        assert pool.warm(make_request(conversation="d")), "one instance is idle"
        await until(lambda: engine.warm_ups)
        assert [one.conversation for one in engine.warm_ups] == ["d"]
