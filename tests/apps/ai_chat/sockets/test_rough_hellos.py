"""First frames of all kinds, with keys that are stolen, cut or made up: nobody gets in by them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from apps.ai_chat import generations, services
from apps.ai_chat.close_codes import CloseCode
from apps.ai_chat.errors import PROBLEMS
from apps.ai_chat.models import Conversation
from apps.ai_chat.visitor import Visitor
from apps.widget.models import Site
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.site_tab import ORIGIN, make_site, user_jwt
from tests.apps.ai_chat.tab import OWN_ORIGIN, Closed, Tab

SECRET = "Zebrafinch-4711"
_JUNK = st.none() | st.booleans() | st.integers(-1, 3) | st.text(max_size=20) | st.lists(st.none())
_KEYS = st.sampled_from(["site key", "other key", "token", "cut token", "jwt", "cut jwt", "code"])
_RESUME = st.lists(st.fixed_dictionaries({"gen": st.just("gen"), "after": st.integers(0, 3)}))
HELLOS = st.fixed_dictionaries(
    {"type": st.just("hello"), "v": st.just(1) | _JUNK},
    optional={
        **dict.fromkeys(("site", "token", "user_jwt", "handover"), _KEYS | _KEYS | _JUNK),
        "lang": st.sampled_from(["de", "ar", "xx"]) | _JUNK,
        "resume": _RESUME | _JUNK,
        "page": _JUNK,
    },
)
ORIGINS = st.sampled_from([OWN_ORIGIN, b"https://other.example.org", b"null", None])


@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
@run_settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tries=st.lists(st.tuples(HELLOS, ORIGINS), min_size=25, max_size=25))
def test_rough_hellos(monkeypatch: pytest.MonkeyPatch, tries: list[tuple[Any, Any]]) -> None:
    asyncio.run(survive(monkeypatch, tries))


async def survive(monkeypatch: pytest.MonkeyPatch, tries: list[tuple[Any, Any]]) -> None:
    """A visitor of a website has a secret; their keys are shown where they are worth nothing."""
    pool = FakePool(f"Your secret is {SECRET}.")
    monkeypatch.setattr(generations, "pool_client", lambda: pool)
    monkeypatch.setattr(generations, "pool_status", pool.status_or_down)
    tabs: list[Tab] = []
    try:
        site, other = await make_site(), await make_site()
        owner = Tab(origin=ORIGIN.encode())
        tabs.append(owner)
        await owner.open(site=site.key)
        asked = await owner.ask(f"Remember {SECRET}!")
        token = (await owner.until("message.ack"))["token"]
        await owner.until_end()
        keys = {
            **{"site key": site.key, "other key": other.key, "gen": asked["gen"]},
            **{"token": token, "cut token": token[:-1], "code": await a_code(site, token)},
            **{"jwt": user_jwt(other), "cut jwt": user_jwt(site)[:-2]},
        }
        for hello, origin in tries:
            thief = Tab(origin=origin)
            tabs.append(thief)
            await thief.connect()
            await thief.send(with_keys(hello, keys))
            await read_to_the_end(thief)
            assert SECRET not in json.dumps(thief.frames)
    finally:
        for tab in tabs:
            await tab.close()
        await generations.close_current_registry()
        await database_sync_to_async(forget_everything)()


def forget_everything() -> None:
    Conversation.objects.all().delete()
    Site.objects.all().delete()


@database_sync_to_async
def a_code(site: Site, token: str) -> str:
    """A way to the full page, which is no key to a line."""
    row = Conversation.objects.get()
    visitor = Visitor(key=row.visitor, site_id=site.pk)
    return services.begin_handover(visitor=visitor, has_token=bool(token))


def with_keys(hello: dict[str, Any], keys: dict[str, str]) -> str:
    """The frame with real keys in place of their names."""
    text = json.dumps(hello)
    for name, value in keys.items():
        text = text.replace(f'": "{name}"', f'": "{value}"')
    return text


async def read_to_the_end(tab: Tab) -> None:
    """Until the line shows that it is alive, or was closed with a documented code."""
    await tab.send({"type": "ping", "n": 4711})
    try:
        while True:
            frame = await tab.next(10)
            assert frame["type"] != "error" or frame["code"] in set(PROBLEMS) - {"internal"}, frame
            if frame == {"type": "pong", "n": 4711}:
                return
    except Closed as closed:
        assert closed.code in set(CloseCode)
