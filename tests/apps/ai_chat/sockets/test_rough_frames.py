"""Whatever a client sends: documented answers only, nothing of others, nothing left running."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as run_settings

from apps.ai_chat import generations, warm_ups
from apps.ai_chat.close_codes import CloseCode
from apps.ai_chat.errors import PROBLEMS
from apps.ai_chat.models import Conversation, Message
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.rough_frames import bursts, ids_of, with_ids
from tests.apps.ai_chat.sockets.rows import ANNA, BERT
from tests.apps.ai_chat.tab import Closed, Tab

SECRET = "Zebrafinch-4711"


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("unlimited")
@pytest.mark.django_db(transaction=True)
@run_settings(
    max_examples=12,
    deadline=None,
    # Without shrinking: every try opens sockets.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(burst=bursts(30))
def test_rough_frames(monkeypatch: pytest.MonkeyPatch, burst: list[str]) -> None:
    asyncio.run(survive(monkeypatch, burst))


async def survive(monkeypatch: pytest.MonkeyPatch, burst: list[str]) -> None:
    """One visitor has a secret; another one sends the burst."""
    pool = FakePool(f"Your secret is {SECRET}.")
    monkeypatch.setattr(generations, "pool_client", lambda: pool)
    monkeypatch.setattr(generations, "pool_status", pool.status_or_down)
    monkeypatch.setattr(warm_ups, "warm_up", no_warm_up)
    tabs: list[Tab] = []
    try:
        anna, ids = await with_a_question(ANNA, f"Remember {SECRET}!", "foreign", tabs)
        pool.script = ("Yes.",)
        bert, own = await with_a_question(BERT, "Hello?", "own", tabs)
        before = await rows_of(ids["foreign conversation"])
        anna.frames.clear()
        for text in burst:
            await bert.send(with_ids(text, ids | own))
        await read_to_the_end(bert)
        told = json.dumps(bert.frames)
        assert SECRET not in told and "Remember" not in told
        assert await rows_of(ids["foreign conversation"]) == before
        await anna.send({"type": "ping", "n": 1})
        assert (await anna.next())["type"] == "pong", "the other one saw nothing of it"
        await nothing_runs()
    finally:
        for tab in tabs:
            await tab.close()
        await generations.close_current_registry()
        await database_sync_to_async(lambda: Conversation.objects.all().delete())()


async def with_a_question(
    visitor: str, text: str, whose: str, tabs: list[Tab]
) -> tuple[Tab, dict[str, str]]:
    tab = Tab(visitor)
    tabs.append(tab)
    await tab.open()
    await tab.ask(text)
    await tab.until_settled()
    return tab, ids_of(whose, tab.frames)


async def read_to_the_end(tab: Tab) -> None:
    """Until the line shows that it is alive, or was closed with a documented code."""
    await tab.send({"type": "ping", "n": 4711})
    try:
        while True:
            frame = await tab.next(10)
            assert frame["type"] != "error" or frame["code"] in PROBLEMS
            # A line that had too much to do answers the ping with "too fast".
            assert frame.get("code") != "internal", frame
            if frame == {"type": "pong", "n": 4711}:
                return
            if frame.get("code") == "rate_limited" and frame["ref"] == "ping":
                await asyncio.sleep(0.05)
                await tab.send({"type": "ping", "n": 4711})
    except Closed as closed:
        assert closed.code in set(CloseCode)


async def nothing_runs() -> None:
    streaming = Message.objects.filter(state=Message.State.STREAMING)
    async with asyncio.timeout(10):
        while await database_sync_to_async(streaming.exists)():
            await asyncio.sleep(0.02)


async def no_warm_up(**call: Any) -> bool:
    return False


@database_sync_to_async
def rows_of(conversation: str) -> list[dict[str, Any]]:
    """Everything that is stored of a conversation."""
    rows = Message.objects.filter(conversation=conversation).order_by("number")
    return [*rows.values(), *Conversation.objects.filter(id=conversation).values()]
