"""What hello allowed ends: with a login, with a website's word, with a sign-in in another tab."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client

from apps.ai_chat import consumers, session
from apps.widget import services as sites
from apps.widget.models import Site
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA
from tests.apps.ai_chat.sockets.site_tab import ORIGIN, make_site, user_jwt
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
OnSite = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def on_site(open_tab: OpenTab) -> OnSite:
    """Opens tabs on a website's page that were welcomed."""

    async def make(site: Site, **hello: Any) -> Tab:
        tab = await open_tab(None, hello=False, origin=ORIGIN.encode())
        await tab.send({"type": "hello", "v": 1, "site": site.key, **hello})
        tab.welcome = await tab.until("welcome")
        return tab

    return make


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are looked at again many times a second."""
    monkeypatch.setattr(consumers, "RECHECK_S", 0.05)


async def signed_in(name: str = "anna") -> Client:
    def sign_in() -> Client:
        client = Client()
        client.force_login(get_user_model().objects.create_user(name))
        return client

    return await database_sync_to_async(sign_in)()


def cookie_of(client: Client) -> str:
    return f"sessionid={client.cookies['sessionid'].value}"


async def test_logout_closes_the_tabs_of_that_login_at_once(open_tab: OpenTab) -> None:
    client = await signed_in()
    tab, other = [await open_tab(None, cookie=cookie_of(client)) for _ in range(2)]
    elsewhere = Client()
    user = get_user_model()
    await database_sync_to_async(lambda: elsewhere.force_login(user.objects.get()))()
    stays = await open_tab(None, cookie=cookie_of(elsewhere))
    await database_sync_to_async(client.logout)()
    for closed in (tab, other):
        assert (await closed.until("error"))["code"] == "unauthorised"
        assert await closed.until_closed() == 4401
    await stays.send({"type": "ping", "n": 1})
    assert (await stays.until("pong"))["n"] == 1


async def test_a_line_that_comes_back_at_once_is_nobody(open_tab: OpenTab) -> None:
    client = await signed_in()
    cookie = cookie_of(client)
    tab = await open_tab(None, cookie=cookie)
    await database_sync_to_async(client.logout)()
    await tab.until_closed()
    back = await open_tab(None, cookie=cookie)
    assert back.welcome["visitor"] != tab.welcome["visitor"]


async def test_a_user_who_is_switched_off_is_noticed_without_a_question(
    open_tab: OpenTab, quick_looks: None
) -> None:
    client = await signed_in()
    tab = await open_tab(None, cookie=cookie_of(client))
    off = database_sync_to_async(lambda: get_user_model().objects.update(is_active=False))
    await off()
    assert (await tab.until("error"))["code"] == "unauthorised"
    assert await tab.until_closed() == 4401


async def test_a_site_that_takes_its_origin_off_the_list(
    on_site: OnSite, quick_looks: None
) -> None:
    site = await make_site()
    tab = await on_site(site)
    await database_sync_to_async(sites.refuse_origin)(site, ORIGIN)
    assert (await tab.until("error"))["code"] == "origin_not_allowed"
    assert await tab.until_closed() == 4403


async def test_a_site_that_is_switched_off_can_still_be_read(
    on_site: OnSite, quick_looks: None
) -> None:
    site = await make_site()
    tab = await on_site(site)
    await database_sync_to_async(lambda: Site.objects.update(is_on=False))()
    for n in range(5):
        await tab.send({"type": "ping", "n": n})
        assert (await tab.until("pong"))["n"] == n


async def test_a_user_jwt_that_ends_ends_the_line(
    on_site: OnSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.widget.user_tokens.LEEWAY_S", 0)
    site = await make_site()
    tab = await on_site(site, user_jwt=user_jwt(site, lasts_s=2))
    assert tab.welcome["user"] is True
    assert (await tab.until("error"))["code"] == "login_ended"
    assert await tab.until_closed() == 4411


async def test_nothing_is_read_behind_the_end_of_a_user_jwt(
    on_site: OnSite, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.script = ("Yes.",)
    site = await make_site()
    tab = await on_site(site, user_jwt=user_jwt(site, lasts_s=600))
    asked = await tab.ask("Hello?")
    await tab.until_end()
    now = time.time()
    monkeypatch.setattr(session.time, "time", lambda: now + 700)
    await tab.send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    assert (await tab.until("error", "gen.created"))["code"] == "login_ended"
    assert await tab.until_closed() == 4411


async def test_identify_sends_the_visitors_other_tabs_back_to_hello(
    on_site: OnSite, pool: FakePool
) -> None:
    pool.script = ("Yes.",)
    site = await make_site()
    tab = await on_site(site)
    await tab.ask("Hello?")
    token = (await tab.until("message.ack"))["token"]
    await tab.until_end()
    other, stranger = await on_site(site, token=token), await on_site(site)
    jwt = user_jwt(site)
    await tab.send({"type": "identify", "user_jwt": jwt})
    await tab.until("identified")
    bye = await other.until("bye")
    assert (bye["code"], await other.until_closed()) == (4410, 4410)
    again = await on_site(site, token=token, user_jwt=jwt)
    await tab.ask("And now?")
    assert (await again.until("gen.done"))["reason"] == "stop", "the tabs are together again"
    await stranger.send({"type": "ping", "n": 1})
    await stranger.until("pong")


async def test_hello_with_a_user_does_the_same_and_answers_go_along(
    on_site: OnSite, pool: FakePool
) -> None:
    site = await make_site()
    tab = await on_site(site)
    asked = await tab.ask("Count!")
    token = (await tab.until("message.ack"))["token"]
    user = await on_site(site, token=token, user_jwt=user_jwt(site))
    assert (await tab.until("bye"))["code"] == 4410
    await user.send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    await user.until("gen.created")
    await pool.wait_for_request()
    await pool.say(asked["gen"], "One, two.")
    await pool.finish(asked["gen"])
    await user.until_end()
    assert user.shown(asked["gen"]) == "One, two."


async def test_errors_of_answers_speak_the_language_of_each_tab(
    open_tab: OpenTab, pool: FakePool
) -> None:
    tabs = []
    for lang in ("en", "de", "xx"):
        tab = await open_tab(ANNA, hello=False)
        await tab.send({"type": "hello", "v": 1, "lang": lang})
        await tab.until("welcome")
        tabs.append(tab)
    asked = await tabs[0].ask("Hello?")
    await pool.wait_for_request()
    await pool.fail(asked["gen"], "stalled")
    texts = [(await tab.until("gen.error"))["text"] for tab in tabs]
    assert texts[0] == texts[2] == "I got stuck and had to stop. Please try again."
    assert texts[1] != texts[0] and "ich" in texts[1].lower()
    await tabs[1].send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    assert (await tabs[1].until("gen.error"))["text"] == texts[1]
