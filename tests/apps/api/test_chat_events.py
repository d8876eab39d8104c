"""Answers as server-sent events: resumed, kept alive, ended, and the same as on a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest
from django.conf import settings

from apps.ai_chat.generations import close_current_registry, get_registry
from apps.ai_chat.visitor import visitor_of_id
from apps.api import event_stream
from tests.apps.ai_chat.conftest import open_tab, pool
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.site_tab import user_jwt
from tests.apps.ai_chat.tab import Tab
from tests.apps.api.chat_calls import (
    ANNA,
    SHOP,
    Events,
    ask,
    client_of,
    listen,
    make_site,
    path_of,
)

__all__ = ["open_tab", "pool"]

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
OpenTab = Callable[..., Awaitable[Tab]]


async def test_resume_with_the_last_event_id(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    await pool.say(gen, "One ")
    async with await listen(client, gen) as events:
        await events.until("gen.delta")
    assert not get_registry().audience.members(), "who left is gone"
    await pool.say(gen, "two ")
    last = events.reader.last_id
    async with await listen(client, gen, after=last) as events:
        assert (await events.until("gen.delta"))["text"] == "two "
        assert len(events.reader.frames) == 1
        await pool.finish(gen)
        await events.rest()
    # Also as a parameter, and with nonsense for a number.
    async with await listen(client, gen, query=f"?after={last}") as events:
        assert (await events.rest())[0] == "gen.delta"
    for nonsense in ("x", "-1", "1e3", "9" * 40):
        async with await listen(client, gen, after=nonsense) as events:
            assert (await events.rest())[0] == "gen.created"


async def test_who_has_everything_gets_nothing(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    await pool.finish(gen)
    async with await listen(client, gen) as events:
        await events.rest()
    async with await listen(client, gen, after=events.reader.last_id) as events:
        assert await events.rest() == []


async def test_an_answer_of_long_ago(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    await pool.say(gen, "One")
    await pool.finish(gen)
    async with await listen(client, gen) as events:
        await events.rest()
    get_registry()._finished.clear()
    async with await listen(client, gen, after="2") as events:
        assert await events.rest() == ["gen.snapshot"]
    snapshot = events.reader.frames[0]
    assert (snapshot["text"], snapshot["state"]) == ("One", "complete")


async def test_a_restart_of_the_web_process(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    await pool.say(gen, "One\n\nTwo")
    async with await listen(client, gen) as events:
        await events.until("gen.block")
        await close_current_registry()
        error = await events.until("error")
        assert (error["code"], error["ref"]) == ("draining", gen)
        await events.rest()
    async with await listen(client, gen, after=events.reader.last_id) as events:
        assert (await events.until("gen.snapshot"))["text"] == "One\n\nTwo"
        await pool.say(gen, " three")
        await pool.finish(gen)
        assert (await events.rest())[-1] == "gen.done"


async def test_signs_of_life(pool: FakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    async with await listen(client, gen) as events:
        await events.until("gen.created")
        async with asyncio.timeout(5):
            while len(events.reader.comments) < 3:
                events.reader.feed(await anext(events._pieces))
        await pool.finish(gen)
        assert (await events.rest())[-1] == "gen.done"


async def test_a_stream_does_not_last_for_ever(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(event_stream, "MAX_STREAM_S", 0.05)
    gen, _ = await ask(client_of())
    async with await listen(client_of(), gen) as events:
        assert (await events.rest())[0] == "gen.created"
    assert not get_registry().audience.members()


async def test_a_stream_ends_with_the_word_that_opened_it(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.widget.user_tokens.LEEWAY_S", 0)
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(event_stream, "RECHECK_S", 0.01)
    site = await make_site()
    jwt = user_jwt(site, lasts_s=2)
    client, headers = client_of(None), {"authorization": f"Bearer {jwt}", "origin": SHOP}
    gen, _ = await ask(client, headers=headers)
    async with aclosing(Events(await client.get(path_of(gen), headers=headers))) as events:
        assert (await events.until("error"))["code"] == "login_ended"
        await events.rest()
    assert not get_registry().audience.members()


async def test_too_many_lines_of_one_visitor(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    streams = []
    for _ in range(settings.CORRAL_SOCKETS_PER_VISITOR + 1):
        streams.append(Events(await client.get(path_of(gen))))
        await streams[-1].until("gen.created")
    error = await streams[0].until("error")
    assert error["code"] == "replaced"
    for stream in streams:
        await stream.aclose()
    assert not get_registry().audience.members()


async def test_a_socket_and_a_stream_see_the_same(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab(ANNA)
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    async with await listen(client, gen) as events:
        await pool.say(gen, "One\n\nTwo")
        await pool.finish(gen)
        await events.rest()
    await tab.until_end()
    by_socket = [frame for frame in tab.frames if frame.get("gen") == gen]
    assert by_socket == events.reader.frames
    assert visitor_of_id(ANNA).key not in json.dumps(by_socket)


async def test_cancelled_while_waiting(pool: FakePool) -> None:
    """What a server does when the client hangs up."""
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    events = Events(await client.get(path_of(gen)))
    await events.until("gen.created")
    assert get_registry().audience.members()
    reading = asyncio.create_task(events.until("gen.done"))
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not get_registry().audience.members()
