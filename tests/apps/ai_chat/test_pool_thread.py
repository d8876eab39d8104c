"""The chat against the real pool, socket and client, with a fake engine behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from channels.db import database_sync_to_async

from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.thread import PoolThread
from apps.ai_chat import generations
from apps.ai_chat.models import Message
from tests.ai_model.pool.fake_engine import Factory, factory
from tests.apps.ai_chat.tab import Tab

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
CONFIG = PoolConfig(
    model_path=Path("fake.gguf"), max_instances=2, n_ctx=2048, max_inflight_per_visitor=3
)
PIECES = tuple(f"word{n} " for n in range(20))


class Pools:
    """The pool of a test, which can die and be replaced by another one."""

    def __init__(self) -> None:
        self.factory: Factory = factory(script=PIECES)
        self.thread = PoolThread(CONFIG, engine_factory=self.factory)
        self.thread.start()
        self.client: PoolClient | None = None

    def connect(self) -> PoolClient:
        if self.client is None or self.client.socket_path != self.thread.socket_path:
            self.client = PoolClient(self.thread.socket_path)
        return self.client

    async def replace(self) -> None:
        """End the pool in the middle of everything, and start another one."""
        old_client, old_thread = self.client, self.thread
        self.factory = factory(script=PIECES)
        self.thread = PoolThread(CONFIG, engine_factory=self.factory)
        await asyncio.to_thread(self.thread.start)
        if old_client is not None:
            # As a killed process does: the line breaks without a last frame.
            await old_client.close()
        await asyncio.to_thread(old_thread.close)


@pytest.fixture
def pools() -> Iterator[Pools]:
    made = Pools()
    yield made
    made.thread.close()


@pytest_asyncio.fixture
async def tab(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tab]:
    async def status() -> object:
        return await pools.connect().status()

    monkeypatch.setattr(generations, "pool_client", pools.connect)
    monkeypatch.setattr(generations, "pool_status", status)
    opened = await Tab("a" * 32).open()
    yield opened
    await opened.close()
    await generations.close_current_registry()
    if pools.client is not None:
        await pools.client.close()


@database_sync_to_async
def row_of(generation: str) -> Message:
    return Message.objects.get(generation=generation)


async def shown_at_least(tab: Tab, gen: str, num_chars: int) -> None:
    while len(tab.shown(gen)) < num_chars:
        await tab.until("gen.delta")


async def running(pools: Pools, gen: str) -> None:
    async with asyncio.timeout(5):
        while gen not in pools.factory.engine.running_ids:
            await asyncio.sleep(0.01)


async def test_whole_exchange(tab: Tab, pools: Pools) -> None:
    gen = (await tab.ask("Hello?"))["gen"]
    await running(pools, gen)
    pools.factory.engine.finish_all()
    done = await tab.until_end()
    assert tab.shown(gen) == "".join(PIECES)
    assert done["usage"]["completion"] == 20 and done["reason"] == "stop"
    row = await row_of(gen)
    assert (row.state, row.text, row.num_completion_tokens) == ("complete", "".join(PIECES), 20)


async def test_stop_keeps_what_was_seen(tab: Tab, pools: Pools) -> None:
    gen = (await tab.ask("Hello?"))["gen"]
    await running(pools, gen)
    pools.factory.engine.step(5)
    await shown_at_least(tab, gen, 6)
    await tab.send({"type": "gen.stop", "gen": gen, "seen": 6})
    done = await tab.until_end()
    row = await row_of(gen)
    assert done["reason"] == "user_stop" and row.state == "stopped"
    assert done["chars"] == len(row.text) and "".join(PIECES).startswith(row.text)


async def test_answer_goes_on_in_another_pool(tab: Tab, pools: Pools) -> None:
    gen = (await tab.ask("Hello?"))["gen"]
    await running(pools, gen)
    pools.factory.engine.step(7)
    await shown_at_least(tab, gen, len("".join(PIECES[:7])))
    await pools.replace()
    await running(pools, gen)
    resumed = pools.factory.engine.requests[0]
    assert resumed.produced == tuple(range(100, 107)), "it goes on behind the seventh token"
    pools.factory.engine.finish_all()
    await tab.until_end()
    assert tab.shown(gen) == "".join(PIECES), "no character lost or doubled"
    assert (await row_of(gen)).text == "".join(PIECES)


async def test_place_in_the_queue_is_shown(tab: Tab, pools: Pools, settings: object) -> None:
    settings.CORRAL_MAX_INFLIGHT = 3  # type: ignore[attr-defined]
    for _ in range(2):
        await tab.ask("Hello?")
        await tab.until("gen.started")
    third = (await tab.ask("And me?"))["gen"]
    place = await tab.until("gen.queue")
    assert (place["gen"], place["position"], place["size"]) == (third, 1, 1)
    assert "seq" not in place
    pools.factory.engine.finish_all()
    await running(pools, third)
    pools.factory.engine.finish_all()
    while (await tab.until_end())["gen"] != third:
        pass
    assert tab.shown(third) == "".join(PIECES)
