"""Warm-ups and the pool's state, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client

from apps.ai_chat import pool_watch, warm_ups
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA, BERT
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def warmed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the pool was asked to read."""
    calls: list[dict[str, Any]] = []

    async def warm_up(**call: Any) -> bool:
        calls.append(call)
        return True

    monkeypatch.setattr(warm_ups, "warm_up", warm_up)
    return calls


async def settle(tab: Tab) -> None:
    """Wait until everything sent before was handled."""
    await tab.send({"type": "ping", "n": 9})
    await tab.until("pong")


async def test_warm_reads_a_conversation_once_in_ten_seconds(
    open_tab: OpenTab, pool: FakePool, warmed: list[dict[str, Any]], monkeypatch: Any
) -> None:
    pool.script = ("Yes.",)
    tab, other = await open_tab(ANNA), await open_tab(ANNA)
    await tab.ask("One?")
    ack = await tab.until("message.ack")
    await tab.until_end()
    for one in (tab, tab, other):
        await one.send({"type": "warm", "conversation": ack["conversation"]})
        await settle(one)
    assert [call["conversation"] for call in warmed] == [ack["conversation"]]
    assert [message.text for message in warmed[0]["messages"][1:]] == ["One?", "Yes."]
    await tab.send({"type": "warm"})
    await settle(tab)
    assert [message.role for message in warmed[1]["messages"]] == ["system"]
    monkeypatch.setattr(warm_ups, "EVERY_S", 0.0)
    await tab.send({"type": "warm"})
    await settle(tab)
    assert len(warmed) == 3


async def test_few_warm_ups_at_once(
    open_tab: OpenTab, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = [], asyncio.Event()

    async def warm_up(**call: Any) -> bool:
        begun.append(call)
        await may_end.wait()
        return True

    monkeypatch.setattr(warm_ups, "warm_up", warm_up)
    tabs = [await open_tab(letter * 32) for letter in "abcd"]
    for tab in tabs:
        await tab.send({"type": "warm"})
    for tab in tabs[2:]:
        await settle(tab)
    assert len(begun) <= warm_ups.MAX_AT_ONCE
    may_end.set()
    for tab in tabs:
        await settle(tab)
    assert len(begun) == warm_ups.MAX_AT_ONCE


async def test_a_pool_that_is_away_is_no_error_for_a_warm_up(
    open_tab: OpenTab, pool: FakePool
) -> None:
    tab = await open_tab()
    await tab.send({"type": "warm"})
    await settle(tab)
    assert not any(frame["type"] == "error" for frame in tab.frames)


@pytest.fixture
def fast_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_watch, "TICK_S", 0.05)


async def test_watch_tells_until_unwatch(
    open_tab: OpenTab, pool: FakePool, fast_ticks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = await open_tab()
    await tab.send({"type": "pool.watch", "every_ms": 1000})
    stats = await tab.until("pool.stats")
    assert stats["instances"] == 4 and "model" not in stats, "only what everybody may know"
    await tab.until("pool.stats")
    await tab.send({"type": "pool.unwatch"})
    await settle(tab)
    tab.frames.clear()
    await asyncio.sleep(0.2)
    await settle(tab)
    assert [frame["type"] for frame in tab.frames] == ["pong"]


async def test_many_watchers_are_one_look(
    open_tab: OpenTab, pool: FakePool, fast_ticks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tabs = [await open_tab(ANNA), await open_tab(BERT)]
    looks = 0
    status = pool.status_or_down

    async def count() -> Any:
        nonlocal looks
        looks += 1
        return await status()

    monkeypatch.setattr("apps.ai_chat.generations.pool_status", count)
    for tab in tabs:
        await tab.send({"type": "pool.watch", "every_ms": 1000})
        await tab.until("pool.stats")
    num_told = sum(frame["type"] == "pool.stats" for tab in tabs for frame in tab.frames)
    assert looks <= num_told


async def test_owner_can_switch_it_off(open_tab: OpenTab, settings: Any) -> None:
    settings.CORRAL_POOL_PUBLIC = False
    tab = await open_tab()
    await tab.send({"type": "pool.watch", "every_ms": 1000})
    assert (await tab.next())["code"] == "forbidden"
    await tab.send({"type": "pool.watch", "every_ms": 999})
    assert (await tab.next())["code"] == "bad_frame"


async def test_staff_sees_more(open_tab: OpenTab, settings: Any) -> None:
    settings.CORRAL_POOL_PUBLIC = False

    def sign_in() -> str:
        client = Client()
        user = get_user_model().objects.create_superuser("staff")
        client.force_login(user)
        return client.cookies["sessionid"].value

    session = await database_sync_to_async(sign_in)()
    tab = await open_tab(None, cookie=f"sessionid={session}")
    await tab.send({"type": "pool.watch", "every_ms": 1000})
    assert "model" in await tab.until("pool.stats")
