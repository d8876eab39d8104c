"""Pages of websites: their key, their origin, tokens that come with the first question, users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async

from apps.ai_chat.models import Conversation
from apps.widget import services as sites
from apps.widget.models import RefusedOrigin, Site
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA, num_messages, row_of
from tests.apps.ai_chat.sockets.site_tab import ORIGIN, change, make_site, user_jwt
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.stores]


@pytest.fixture
def on_site(open_tab: OpenTab) -> Callable[..., Awaitable[Tab]]:
    """Opens tabs on a website's page that have said hello."""

    async def make(site: Site, *, origin: str = ORIGIN, cookie: str = "", **hello: Any) -> Tab:
        options = {"origin": origin.encode(), "cookie": cookie}
        tab = await open_tab(None, hello=False, **options)
        await tab.send({"type": "hello", "v": 1, "site": site.key, **hello})
        return tab

    return make


async def test_nothing_is_stored_and_no_token_given_before_the_first_question(
    on_site: Callable[..., Awaitable[Tab]], pool: FakePool
) -> None:
    pool.script = ("Yes.",)
    site = await make_site(max_chars=500)
    tab = await on_site(site)
    welcome = await tab.until("welcome")
    assert welcome["site"] == {"key": site.key, "name": "Ada", "is_on": True}
    assert welcome["limits"]["max_chars"] == 500 and welcome["limits"]["max_inflight"] == 1
    assert "token" not in welcome and "user" not in welcome
    assert await num_messages() == 0
    asked = await tab.ask("Hello?", context={"Product": "Saddle", "In stock": True})
    ack = await tab.until("message.ack")
    assert ack["token"] and ack["token_exp"] > 1_700_000_000
    await tab.until_end()
    row = await row_of(asked["gen"])
    assert row.conversation.site_id == site.pk
    assert row.conversation.visitor.startswith(f"w:{site.pk}:")
    assert '- Product: "Saddle"\n- In stock: "yes"\n\nHello?' in pool.requests[0].messages[1].text
    await tab.ask("And?", conversation=ack["conversation"])
    assert "token" not in await tab.until("message.ack"), "once is enough"
    back = await on_site(site, token=ack["token"])
    again = await back.until("welcome")
    assert again["visitor"] == welcome["visitor"] and again["token"] and again["token_exp"]


async def test_tokens_are_worth_nothing_elsewhere(
    on_site: Callable[..., Awaitable[Tab]], pool: FakePool
) -> None:
    pool.script = ("Yes.",)
    site, other = await make_site(), await make_site()
    await database_sync_to_async(sites.allow_origin)(site, "https://other.example.org")
    tab = await on_site(site)
    await tab.ask("Hello?")
    token = (await tab.until("message.ack"))["token"]
    for where, origin, shown in (
        (other, ORIGIN, token),
        (site, "https://other.example.org", token),
        (site, ORIGIN, token[:-2] + "xx"),
        (site, ORIGIN, "forged"),
    ):
        thief = await on_site(where, origin=origin, token=shown)
        assert (await thief.until("error"))["code"] == "unauthorised"
        assert await thief.until_closed() == 4401


async def test_cookies_do_not_count_on_websites(
    on_site: Callable[..., Awaitable[Tab]], open_tab: OpenTab
) -> None:
    site = await make_site()
    own = await open_tab(ANNA)
    tab = await on_site(site, cookie=own.cookie)
    assert (await tab.until("welcome"))["visitor"] != own.welcome["visitor"]


async def test_unknown_site_and_refused_origin(on_site: Callable[..., Awaitable[Tab]]) -> None:
    site = await make_site()
    lost = await on_site(Site(key="site_nothing"))
    assert (await lost.until("error"))["code"] == "unknown_site"
    assert await lost.until_closed() == 4404
    for origin in ("https://evil.example", "null", "file://", "http://localhost"):
        refused = await on_site(site, origin=origin)
        error = await refused.until("error")
        assert error["code"] == "origin_not_allowed" and "CSRF" not in error["text"]
        assert await refused.until_closed() == 4403
    count = database_sync_to_async(lambda: set(RefusedOrigin.objects.values_list("origin", flat=1)))
    assert "https://evil.example" in await count()


async def test_switched_off_site_can_be_read_only(
    on_site: Callable[..., Awaitable[Tab]], pool: FakePool
) -> None:
    pool.script = ("Yes.",)
    site = await make_site()
    tab = await on_site(site)
    asked = await tab.ask("Hello?")
    ack = await tab.until("message.ack")
    await tab.until_end()
    await change(site, is_on=False)
    await tab.ask("More?", conversation=ack["conversation"])
    assert (await tab.until("error"))["code"] == "site_off"
    back = await on_site(site, token=ack["token"])
    assert (await back.until("welcome"))["site"]["is_on"] is False
    await back.send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    await back.until_end()
    assert back.shown(asked["gen"]) == "Yes."
    await back.ask("More?")
    assert (await back.until("error"))["code"] == "site_off"
    assert await num_messages() == 2


async def test_identify_takes_earlier_chats_along(
    on_site: Callable[..., Awaitable[Tab]], pool: FakePool
) -> None:
    site = await make_site(max_inflight=2)
    tab = await on_site(site)
    asked = await tab.ask("Hello?")
    await tab.until("message.ack")
    await pool.wait_for_request()
    await pool.say(asked["gen"], "One ")
    await tab.until("gen.delta")
    await tab.send({"type": "identify", "user_jwt": user_jwt(site)})
    known = await tab.until("identified")
    assert "token" not in known
    await pool.say(asked["gen"], "two.")
    await pool.finish(asked["gen"])
    await tab.until_end()
    assert tab.shown(asked["gen"]) == "One two.", "the running answer comes along"
    row = await row_of(asked["gen"])
    assert row.conversation.visitor.startswith(f"j:{site.pk}:")
    elsewhere = await on_site(site, user_jwt=user_jwt(site))
    welcome = await elsewhere.until("welcome")
    assert welcome["user"] is True and welcome["visitor"] == known["visitor"]
    await elsewhere.send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    await elsewhere.until_end()


async def test_hello_with_token_and_user_merges(
    on_site: Callable[..., Awaitable[Tab]], pool: FakePool
) -> None:
    pool.script = ("Yes.",)
    site = await make_site()
    tab = await on_site(site)
    await tab.ask("Hello?")
    token = (await tab.until("message.ack"))["token"]
    await tab.until_end()
    user = await on_site(site, token=token, user_jwt=user_jwt(site))
    assert "token" not in await user.until("welcome")
    keys = database_sync_to_async(lambda: list(Conversation.objects.values_list("visitor")))
    assert [key[0][:2] for key in await keys()] == ["j:"]


@pytest.mark.parametrize(
    "claims", [{"lasts_s": -100}, {"aud": "site_other"}, {"sub": ""}, {"lasts_s": 10**6}]
)
async def test_user_jwt_that_proves_nothing(
    on_site: Callable[..., Awaitable[Tab]], claims: dict[str, Any]
) -> None:
    site = await make_site()
    tab = await on_site(site)
    await tab.send({"type": "identify", "user_jwt": user_jwt(site, **claims)})
    assert (await tab.until("error"))["code"] == "unauthorised"
    assert await tab.until_closed() == 4401


async def test_one_user_does_not_get_the_chats_of_another(
    on_site: Callable[..., Awaitable[Tab]], open_tab: OpenTab
) -> None:
    site = await make_site()
    tab = await on_site(site, user_jwt=user_jwt(site, "anna"))
    await tab.until("welcome")
    await tab.send({"type": "identify", "user_jwt": user_jwt(site, "bert")})
    assert (await tab.until("error"))["code"] == "forbidden"
    own = await open_tab(ANNA)
    await own.send({"type": "identify", "user_jwt": user_jwt(site)})
    assert (await own.until("error"))["code"] == "forbidden", "our own page has its own login"


async def test_language_of_the_visitor(on_site: Callable[..., Awaitable[Tab]]) -> None:
    site = await make_site()
    for wanted in ("zz-Klingon", "../../etc", "en-GB"):
        tab = await on_site(site, lang=wanted)
        await tab.until("welcome")
        await tab.ask(" ")
        assert (await tab.until("error"))["text"] == "Please write something first."


async def test_the_pool_command_works_on_websites(
    on_site: Callable[..., Awaitable[Tab]], pool: FakePool
) -> None:
    tab = await on_site(await make_site())
    await tab.until("welcome")
    asked = await tab.ask("/pool")
    await tab.until_end()
    assert tab.shown(asked["gen"]).startswith("Pool Status:\n   Available: 3/4\n")
    assert pool.requests == []
