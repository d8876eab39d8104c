"""The line to the engine leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from ai_model.pool.engine_link import EngineLink
from tests.ai_model.pool.builders import make_config, make_request, until
from tests.ai_model.pool.fake_engine import Factory, factory


def make_link(make_engine: Callable[..., Any]) -> EngineLink:
    """Return a link that tells nobody anything."""
    return EngineLink(
        make_config(),
        make_engine,
        on_ready=lambda: None,
        on_lost=lambda reason: None,
        on_event=lambda generation, event: None,
    )


def prompt_threads() -> list[threading.Thread]:
    """Return the threads that make prompts now."""
    return [one for one in threading.enumerate() if one.name.startswith("corral-prompt")]


async def test_the_thread_is_gone_when_it_is_closed() -> None:
    """Each time, whatever it did last."""
    for _ in range(100):
        await use_once(make_link(factory()))
        assert prompt_threads() == []


async def use_once(link: EngineLink) -> None:
    """Make one prompt."""
    await link.start(1)
    await until(lambda: link.is_ready)
    await link.make_opening(make_request())
    await link.close(5.0)


async def test_an_engine_that_takes_long_to_make_holds_up_nobody() -> None:
    """The loop goes on meanwhile, and the wait has an end."""
    is_begun, may_end = threading.Event(), threading.Event()

    class SlowFactory(Factory):
        def __call__(self, *arguments: Any) -> Any:
            is_begun.set()
            assert may_end.wait(10)
            return super().__call__(*arguments)

    link = make_link(SlowFactory())
    start = asyncio.create_task(link.start(1))
    await until(is_begun.is_set)
    start.cancel()
    try:
        async with asyncio.timeout(5):
            await link.close(0.05)
        assert len(prompt_threads()) == 1
    finally:
        may_end.set()
    await until(lambda: prompt_threads() == [])


async def test_counting_waits_its_turn() -> None:
    """However much is to be counted, a prompt stands behind one text at most."""
    link = make_link(factory())
    await link.start(1)
    await until(lambda: link.is_ready)
    counts = [asyncio.create_task(link.count_tokens("x" * 16_000)) for _ in range(50)]
    await asyncio.sleep(0)
    await link.make_opening(make_request())
    assert sum(count.done() for count in counts) <= 2
    assert await asyncio.gather(*counts) == [16_000] * 50
    await link.close(5.0)
