"""Limits as somebody with a socket meets them: a sentence, a time, and a close code."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client

from apps.ai_chat import quota
from apps.ai_pool.limits.refusals import REFUSALS
from apps.ai_pool.limits.socket_places import PLACES
from apps.ai_pool.limits.store import Store
from apps.ai_pool.load_test.key import HEADER, load_test_key
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA, num_messages
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.stores,
    pytest.mark.usefixtures("long_minute"),
]
FAR = "203.0.114.9"


def tab_from(address: str, visitor_id: str | None = ANNA, **options: Any) -> Tab:
    tab = Tab(visitor_id, **options)
    tab.socket.scope["client"] = [address, 4711]
    return tab


async def refused(tab: Tab) -> dict[str, Any]:
    """The error that a tab is turned away with; it must be closed with the code for it."""
    await tab.connect()
    error = await tab.until("error")
    assert await tab.until_closed() == 4429
    return error


async def test_too_many_sockets_from_one_address(pool: FakePool, settings: Any) -> None:
    settings.CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS = 2
    first, second = await tab_from(FAR).open(), await tab_from(FAR).open()
    error = await refused(tab_from(FAR))
    # The code that a page has words of its own for, with the time.
    assert error["code"] == "rate_limited" and error["retry_after_s"] >= 1
    elsewhere = await tab_from("203.0.114.10").open()
    here = [await tab_from("127.0.0.1").open() for _ in range(3)]
    await first.close()
    again = await tab_from(FAR).open()
    for tab in (second, elsewhere, *here, again):
        await tab.close()
    assert PLACES.num_taken == 0


async def test_as_many_as_the_server_holds(pool: FakePool, settings: Any) -> None:
    settings.CORRAL_ANONYMOUS_SOCKETS = 1
    silent = tab_from("127.0.0.1")
    await silent.connect()
    assert (await refused(tab_from(FAR)))["code"] == "rate_limited", "also before hello"
    await silent.close()
    tab = await tab_from(FAR).open()
    await tab.close()
    assert PLACES.num_taken == 0


async def test_who_is_signed_in_takes_no_place_of_strangers(pool: FakePool, settings: Any) -> None:
    settings.CORRAL_ANONYMOUS_SOCKETS = settings.CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS = 1
    stranger = await tab_from(FAR).open()

    def signed_in() -> str:
        user = get_user_model().objects.create_user("ann")
        client = Client()
        client.force_login(user)
        return f"sessionid={client.cookies['sessionid'].value}"

    cookie = await database_sync_to_async(signed_in)()
    known = [await tab_from(FAR, None, cookie=cookie).open() for _ in range(3)]
    for tab in (stranger, *known):
        await tab.close()


async def test_simulated_visitors_leave_their_places(pool: FakePool, settings: Any) -> None:
    settings.CORRAL_ANONYMOUS_SOCKETS = settings.CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS = 1
    tabs = []
    for _ in range(4):
        tab = tab_from(FAR, None, origin=None)
        tab.socket.scope["headers"].append((HEADER.lower().encode(), load_test_key().encode()))
        tabs.append(await tab.open())
    assert PLACES.num_taken == 0
    for tab in tabs:
        await tab.close()


async def test_the_oldest_tab_makes_room_and_is_told(
    open_tab: OpenTab, pool: FakePool, settings: Any
) -> None:
    settings.CORRAL_SOCKETS_PER_VISITOR = 2
    before = REFUSALS.counts()["sockets"]
    oldest, *_ = [await open_tab(ANNA) for _ in range(3)]
    assert (await oldest.until("error"))["code"] == "replaced"
    assert await oldest.until_closed() == 4409
    assert REFUSALS.counts()["sockets"] == before + 1
    settings.CORRAL_SOCKETS_PER_VISITOR = 0
    for _ in range(8):
        await open_tab(ANNA)
    assert REFUSALS.counts()["sockets"] == before + 1


async def test_tokens_come_back_when_the_answer_has_ended(
    open_tab: OpenTab, pool: FakePool, settings: Any
) -> None:
    settings.CORRAL_ANONYMOUS_TOKENS_PER_HOUR = 600
    pool.script = ("Yes.",)
    tab = await open_tab()
    for _ in range(4):
        await tab.ask("Hello?")
        assert (await tab.until_end())["type"] == "gen.done"
        await until_settled()


async def until_settled() -> None:
    """Wait until nothing is owed: the answer's end is told before its tokens come back."""
    from apps.ai_chat.generations import get_registry

    for task in tuple(get_registry()._tasks):
        if "settle_at_end" in repr(task):
            await task


async def test_tokens_are_taken_for_as_long_as_the_answer_may_get(
    open_tab: OpenTab, pool: FakePool, settings: Any
) -> None:
    settings.CORRAL_ANONYMOUS_TOKENS_PER_HOUR = 600
    tab = await open_tab()
    await tab.ask("One?")
    await tab.until("message.ack")
    asked = await tab.ask("Two?")
    error = await tab.until("error")
    assert (error["code"], error["ref"]) == ("rate_limited", asked["cid"])
    assert 1 <= error["retry_after_s"] <= 3600
    assert await num_messages() == 2


async def test_what_is_refused_costs_nothing(
    open_tab: OpenTab, pool: FakePool, settings: Any
) -> None:
    settings.CORRAL_ANONYMOUS_MESSAGES_PER_MINUTE = 1
    pool.script = ("Yes.",)
    before = REFUSALS.counts()["message_size"]
    tab = await open_tab()
    for text in ("x" * 4001, " ", "x" * 5000):
        await tab.ask(text)
        assert (await tab.until("error"))["code"] in ("too_long", "empty")
    assert REFUSALS.counts()["message_size"] == before + 2
    await tab.ask("Hello?")
    await tab.until_end()


async def test_sent_twice_is_counted_once(open_tab: OpenTab, pool: FakePool, settings: Any) -> None:
    settings.CORRAL_ANONYMOUS_MESSAGES_PER_MINUTE = 2
    pool.script = ("Yes.",)
    tab = await open_tab()
    first = await tab.ask("Hello?")
    await tab.until_end()
    for _ in range(3):
        await tab.send(first)
        assert (await tab.until("message.ack"))["dup"] is True
    await tab.ask("And?")
    await tab.until("message.ack")


async def test_while_nobody_can_count_strangers_can_read(
    open_tab: OpenTab, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.script = ("Yes.",)
    tab = await open_tab()
    asked = await tab.ask("Hello?")
    await tab.until_end()

    def fail(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(quota, "STORE", Store())
    monkeypatch.setattr(quota, "_take", fail)
    refused = await tab.ask("And?")
    error = await tab.until("error")
    assert (error["code"], error["ref"]) == ("store_away", refused["cid"])
    assert error["retry_after_s"] >= 1 and "Please try again soon" in error["text"]
    again = await open_tab()
    await again.send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    await again.until_end()
    assert again.shown(asked["gen"]) == "Yes."
    assert uuid.UUID(asked["gen"]) and await num_messages() == 2
