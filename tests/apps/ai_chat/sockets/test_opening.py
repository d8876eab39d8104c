"""Who comes in, and who is turned away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from apps.ai_chat import consumers
from apps.ai_chat.visitor import visitor_of_id
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_welcome_says_limits_model_and_pool(open_tab: OpenTab) -> None:
    tab = await open_tab()
    welcome = tab.welcome
    assert welcome["v"] == 1
    assert welcome["limits"]["max_chars"] == 4000
    assert welcome["model"] == {"label": "Fake", "ctx": 2048, "demo": False}
    assert welcome["pool"] == {"state": "ok", "text": ""}
    assert "token" not in welcome, "a browser with a cookie needs no token its scripts can read"


async def test_welcome_without_a_pool_says_so(open_tab: OpenTab, pool: FakePool) -> None:
    pool.is_down = True
    tab = await open_tab()
    assert tab.welcome["pool"]["state"] == "down"
    assert tab.welcome["model"] is None


async def test_client_without_cookie_gets_a_token_that_brings_it_back(
    open_tab: OpenTab, pool: FakePool
) -> None:
    pool.script = ("Yes.",)
    first = await open_tab(None, origin=None)
    asked = await first.ask("Hello?")
    await first.until_end()
    second = await open_tab(None, origin=None, hello=False)
    await second.send({"type": "hello", "v": 1, "token": first.welcome["token"]})
    welcome = await second.until("welcome")
    assert welcome["visitor"] == first.welcome["visitor"]
    await second.send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    await second.until_end()
    assert second.shown(asked["gen"]) == "Yes."


async def test_cookie_does_not_count_without_an_origin(open_tab: OpenTab) -> None:
    tab = await open_tab(ANNA, origin=None)
    assert tab.welcome["visitor"] != visitor_of_id(ANNA).pseudonym


async def test_forged_token_and_cookie(open_tab: OpenTab) -> None:
    tab = await open_tab(None, cookie="corral_visitor=" + "c" * 32 + ":forged")
    assert "token" in tab.welcome, "a cookie we did not write is nobody's"
    other = await open_tab(None, hello=False)
    await other.send({"type": "hello", "v": 1, "token": "c" * 32 + ":forged"})
    assert (await other.until("error"))["code"] == "unauthorised"
    assert await other.until_closed() == 4401


@pytest.mark.parametrize(
    ("origin", "host", "is_welcome"),
    [
        (b"http://localhost", b"localhost", True),
        (b"http://localhost:8000", b"localhost:8000", True),
        (b"https://localhost", b"localhost", True),
        (b"https://localhost:443", b"localhost", True),
        (b"http://localhost:8001", b"localhost:8000", False),
        (b"http://evil.example", b"localhost", False),
        (b"null", b"localhost", False),
        (b"http://evil.example", b"evil.example", False),
        (b"file://localhost", b"localhost", False),
        (b"http://localhost.evil.example", b"localhost", False),
        (b"http://[broken", b"localhost", False),
    ],
)
async def test_origin(open_tab: OpenTab, origin: bytes, host: bytes, is_welcome: bool) -> None:
    tab = await open_tab(ANNA, hello=False, origin=origin, host=host)
    await tab.send({"type": "hello", "v": 1})
    if is_welcome:
        assert (await tab.next())["type"] == "welcome"
    else:
        assert (await tab.next())["code"] == "origin_not_allowed"
        assert await tab.until_closed() == 4403


async def test_trusted_origin_is_our_own(open_tab: OpenTab, settings: object) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://www.example.org"]  # type: ignore[attr-defined]
    tab = await open_tab(ANNA, origin=b"https://www.example.org")
    assert tab.welcome["visitor"] == visitor_of_id(ANNA).pseudonym


async def test_subprotocol(open_tab: OpenTab) -> None:
    tab = Tab(ANNA)
    assert await tab.connect() == "chat.v1"
    await tab.close()
    old = await open_tab(ANNA, hello=False, subprotocols=["chat.v0"])
    assert (await old.until("error"))["code"] == "unsupported_version"
    assert await old.until_closed() == 4406


async def test_frame_before_hello_and_second_hello(open_tab: OpenTab) -> None:
    early = await open_tab(hello=False)
    await early.send({"type": "ping", "n": 1})
    assert (await early.until("error"))["code"] == "no_hello"
    assert await early.until_closed() == 4401
    twice = await open_tab()
    await twice.send({"type": "hello", "v": 1})
    assert (await twice.until("error"))["code"] == "second_hello"
    assert await twice.until_closed() == 4429


async def test_unknown_version(open_tab: OpenTab) -> None:
    tab = await open_tab(hello=False)
    await tab.send({"type": "hello", "v": 2})
    assert await tab.until_closed() == 4406


async def test_silence_closes(open_tab: OpenTab, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(consumers, "HELLO_TIMEOUT_S", 0.05)
        silent = await open_tab(hello=False)
        assert await silent.until_closed() == 4408
    monkeypatch.setattr(consumers, "IDLE_TIMEOUT_S", 0.8)
    idle = await open_tab()
    for n in range(3):
        await asyncio.sleep(0.3)
        await idle.send({"type": "ping", "n": n})
        assert await idle.until("pong") == {"type": "pong", "n": n}
    assert await idle.until_closed() == 4408
    assert idle.frames[-1]["code"] == "timeout"


async def test_too_many_tabs_replace_the_oldest(open_tab: OpenTab) -> None:
    tabs = [await open_tab() for _ in range(7)]
    assert await tabs[0].until_closed() == 4409
    await tabs[1].send({"type": "ping", "n": 7})
    assert (await tabs[1].until("pong"))["n"] == 7
