"""Our own page speaks for a website's visitor who came by a handover."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.test import Client

from apps.ai_chat import services
from apps.ai_chat.visitor import visitor_of_widget
from apps.widget.models import Site
from tests.apps.ai_chat.conftest import OpenTab
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA, row_of
from tests.apps.ai_chat.sockets.site_tab import ORIGIN, change, make_site
from tests.apps.ai_chat.tab import OWN_ORIGIN

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@database_sync_to_async
def cookie_for(site: Site, visitor_id: str) -> str:
    """The cookies of a browser that used a code of this visitor."""
    visitor = visitor_of_widget(site, visitor_id)
    code = services.begin_handover(visitor=visitor, has_token=True)
    browser = Client()
    browser.post("/handover/", {"code": code})
    return "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())


async def hello(open_tab: OpenTab, cookie: str, **fields: Any) -> Any:
    origin = fields.pop("origin", OWN_ORIGIN)
    tab = await open_tab(None, hello=False, cookie=cookie, origin=origin)
    await tab.send({"type": "hello", "v": 1, **fields})
    return tab


async def test_page_and_website_are_one_visitor(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Yes.",)
    site = await make_site(max_chars=300)
    tab = await hello(open_tab, await cookie_for(site, ANNA), handover=site.key)
    welcome = await tab.until("welcome")
    assert welcome["site"] == {"key": site.key, "name": "Ada", "is_on": True}
    assert welcome["limits"]["max_chars"] == 300
    asked = await tab.ask("Hello?")
    ack = await tab.until("message.ack")
    assert "token" not in welcome and "token" not in ack, "its cookie is what it has"
    await tab.until_end()
    row = await row_of(asked["gen"])
    assert row.conversation.visitor == visitor_of_widget(site, ANNA).key
    assert row.conversation.site_id == site.pk
    await change(site, is_on=False)
    await tab.ask("More?")
    assert (await tab.until("error"))["code"] == "site_off"


async def test_the_cookie_counts_only_where_it_is_asked_for(open_tab: OpenTab) -> None:
    site, other = await make_site(), await make_site()
    cookie = await cookie_for(site, ANNA)
    plain = await hello(open_tab, cookie)
    assert "site" not in await plain.until("welcome")
    for origin in (ORIGIN.encode(), None, b"https://evil.example"):
        foreign = await hello(open_tab, cookie, handover=site.key, origin=origin)
        assert (await foreign.until("error"))["code"] == "origin_not_allowed"
        assert await foreign.until_closed() == 4403
    for key in (other.key, "site_nothing", "x"):
        ended = await hello(open_tab, cookie, handover=key)
        assert (await ended.until("error"))["code"] == "handover_over"
        assert await ended.until_closed() == 4401
