"""Somebody else's things do not exist: every address, every method, every way to come in.

The table must name every address of the API; a new one without a row fails here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.urls import URLPattern, URLResolver

from apps.ai_chat.models import ApprovedAnswer, ApprovedQuestion, Conversation, Feedback, Message
from apps.ai_chat.visitor import COOKIE_NAME, sign, visitor_of_id
from apps.api.api_keys import create_key
from apps.api.urls import urlpatterns
from apps.widget import services as sites
from apps.widget.models import Site
from tests.apps.ai_chat.conftest import pool
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.api.test_conversations import exchange

__all__ = ["pool"]

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
ANNA, BERT, CARL = "a" * 32, "b" * 32, "c" * 32
SECRET = "Where is the treasure?"
BASE = "/api/v1/"
SHOP = "https://shop.example.org"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What happens to somebody who asks for what is Anna's."""

    get: int | None = None
    post: int | None = None
    patch: int | None = None
    delete: int | None = None
    body: dict[str, Any] = field(default_factory=dict)


ROWS = {
    "conversations/<uuid:conversation_id>/": Row(get=404, patch=404, delete=404),
    "conversations/<uuid:conversation_id>/messages/": Row(get=404),
    "messages/<uuid:message_id>/": Row(get=404),
    "messages/<uuid:message_id>/show": Row(post=404),
    "messages/<uuid:message_id>/feedback": Row(post=404, delete=404, body={"value": 1}),
    "generations/<uuid:generation>/": Row(get=404),
    "generations/<uuid:generation>/events": Row(get=404),
    "generations/<uuid:generation>/stop": Row(post=404),
    "generations/<uuid:generation>/regenerate": Row(post=404),
    "generations/<uuid:generation>/continue": Row(post=404),
    "gen/<uuid:generation>/events": Row(get=404),
}
OWN = {"conversations/", "generations/", "visitor", "visitor/export"}
"""Nothing is named in these addresses: they show what belongs to whoever asks."""
NAMED_IN_THE_BODY: dict[str, list[dict[str, Any]]] = {
    "generations/": [
        {"text": "Hi", "conversation": "<conversation>"},
        {"text": "Hi", "parent": "<answer>", "conversation": "<conversation>"},
        {"text": "Hi", "edits": "<question>"},
        {"text": "Hi", "id": "<generation>"},
    ],
    "chat/frames": [
        {"type": "gen.stop", "gen": "<generation>"},
        {"type": "gen.resume", "gen": "<generation>"},
        {"type": "gen.regenerate", "gen": "<new>", "message": "<answer>"},
        {"type": "gen.continue", "gen": "<new>", "message": "<answer>"},
        {"type": "branch.select", "message": "<answer>"},
        {"type": "read", "conversation": "<conversation>", "message": "<answer>"},
        {"type": "feedback", "message": "<answer>", "value": 1},
        {"type": "message.edit", "cid": "<new>", "gen": "<new>", "message": "<question>"}
        | {"text": "Hi"},
        {"type": "message.send", "cid": "<new>", "gen": "<new>", "text": "Hi"}
        | {"conversation": "<conversation>"},
    ],
    "visitor/handover": [{"conversation": "<conversation>"}],
}
OPERATORS = {
    # Visitors and their programs have no business here at all.
    "sites/": ("get",),
    "sites/<str:key>/": ("get", "patch"),
    "approved-answers/": ("get", "post"),
    "approved-answers/<int:answer_id>/": ("get", "patch", "delete"),
}
NOTHING = {r"^[\s\S]*\Z"}
ELSEWHERE = ("pool/", "models/", "schema/", "docs/")
"""Hold nothing of visitors; who may see them is tested beside them."""


@dataclass
class Treasure:
    """What Anna has, and what the operator has."""

    ids: dict[str, str]
    state: list[Any]

    def address(self, route: str) -> str:
        for name, value in self.ids.items():
            route = route.replace(f"<{name}>", value)
        assert "<" not in route, route
        return BASE + route

    def body(self, wanted: dict[str, Any]) -> str:
        text = json.dumps(wanted)
        for name in ("conversation", "answer", "question", "generation"):
            text = text.replace(f"<{name}>", self.ids[name])
        while "<new>" in text:
            text = text.replace("<new>", str(uuid.uuid4()), 1)
        return text


@pytest.fixture
def treasure(transactional_db: None) -> Treasure:
    sent = exchange(visitor_of_id(ANNA), SECRET, answer="Under the palm.")
    site = Site.objects.create(name="Shop")
    sites.allow_origin(site, SHOP)
    approved = ApprovedAnswer.objects.create(text=SECRET)
    ApprovedQuestion.objects.create(answer=approved, text=SECRET)
    ids = {
        "conversation": str(sent.conversation),
        "question": str(sent.message),
        "answer": str(sent.answer),
        "generation": str(sent.generation),
        "uuid:conversation_id": str(sent.conversation),
        "uuid:message_id": str(sent.answer),
        "uuid:generation": str(sent.generation),
        "str:key": site.key,
        "int:answer_id": str(approved.pk),
    }
    return Treasure(ids, state_now())


def state_now() -> list[Any]:
    """Everything of Anna's and the operator's."""
    anna = visitor_of_id(ANNA).key
    return [
        list(Conversation.objects.filter(visitor=anna).values()),
        list(Message.objects.filter(conversation__visitor=anna).order_by("number").values()),
        list(Feedback.objects.values()),
        list(Site.objects.values()),
        list(ApprovedAnswer.objects.values()),
    ]


class Stranger:
    """Somebody with a cookie, a login, or headers."""

    def __init__(self, **headers: str) -> None:
        self.client = AsyncClient()
        self.headers = headers

    async def call(self, method: str, address: str, body: str = "{}") -> Any:
        """Ask for something; returns the answer."""
        if method == "get":
            return await self.client.get(address, headers=self.headers)
        send = getattr(self.client, method)
        return await send(address, body, content_type="application/json", headers=self.headers)


@database_sync_to_async
def strangers() -> list[Stranger]:
    """Everybody who is somebody here, but not Anna."""
    by_cookie, signed_in, boss = Stranger(), Stranger(), Stranger()
    by_cookie.client.cookies[COOKIE_NAME] = sign(BERT)
    signed_in.client.force_login(User.objects.create_user("carl"))
    boss.client.force_login(User.objects.create_superuser("boss"))
    site = Site.objects.get()
    token, _ = sites.mint_token(site=site, origin=SHOP, visitor_id=CARL)
    by_token = Stranger(authorization=f"Bearer {token}", origin=SHOP)
    _, secret = create_key(
        name="program", scopes=["chat", "pool.read", "pool.admin"], requests_per_minute=0
    )
    key = {"authorization": f"Bearer {secret}"}
    return [
        *(by_cookie, signed_in, boss, by_token),
        *(Stranger(**key), Stranger(**key, **{"x-corral-user": "anna"})),
    ]


def routes() -> set[str]:
    return set(_routes(urlpatterns, ""))


def _routes(patterns: list[Any], before: str) -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            assert isinstance(pattern, URLPattern)
            yield route


async def test_every_address_is_named_here() -> None:
    named = {*ROWS, *OWN, *NAMED_IN_THE_BODY, *OPERATORS, *NOTHING}
    rest = {route for route in routes() if not route.startswith(ELSEWHERE)}
    assert rest == named, f"not in the tables: {rest - named}, not there: {named - rest}"


@pytest.mark.parametrize("route", [route for route in sorted(routes()) if route in ROWS])
async def test_every_method(route: str) -> None:
    """The rows name every method that does something."""
    pattern = next(found for found in urlpatterns if str(found.pattern) == route)
    view = pattern.callback.cls
    methods = {name for name in ("get", "post", "patch", "put", "delete") if hasattr(view, name)}
    methods &= set(view.http_method_names)
    row = ROWS[route]
    assert methods == {name for name in ("get", "post", "patch", "delete") if getattr(row, name)}


@pytest.mark.parametrize("route", sorted(ROWS))
async def test_what_is_somebody_else_s_is_not_there(
    pool: FakePool, treasure: Treasure, route: str
) -> None:
    row, address = ROWS[route], treasure.address(route)
    for number, stranger in enumerate(await strangers()):
        for method in ("get", "post", "patch", "delete"):
            status = getattr(row, method)
            if status is None:
                continue
            answer = await stranger.call(method, address, json.dumps(row.body))
            assert answer.status_code == status, (number, method, answer.content)
            assert answer.json()["error"]["code"] == "not_found"
            assert_tells_nothing(answer)
    assert await database_sync_to_async(state_now)() == treasure.state
    assert not pool.requests and not pool.stopped


async def test_lists_hold_only_one_s_own(pool: FakePool, treasure: Treasure) -> None:
    for stranger in await strangers():
        for route in OWN:
            answer = await stranger.call("get", BASE + route)
            assert answer.status_code == 200, (route, answer.content)
            assert_tells_nothing(answer)
            assert treasure.ids["conversation"] not in answer.content.decode()


@pytest.mark.parametrize("route", sorted(NAMED_IN_THE_BODY))
async def test_what_is_named_in_the_body(pool: FakePool, treasure: Treasure, route: str) -> None:
    for stranger in await strangers():
        for body in NAMED_IN_THE_BODY[route]:
            answer = await stranger.call("post", BASE + route, treasure.body(body))
            # A generation's id is no secret, but taken; keys neither speak frames nor hand over.
            allowed = (409,) if body.get("id") else (401, 403, 404)
            assert answer.status_code in allowed, (body, answer.content)
            assert_tells_nothing(answer)
    assert await database_sync_to_async(state_now)() == treasure.state
    assert not pool.requests and not pool.stopped


async def test_visitors_have_no_business_with_operators(pool: FakePool, treasure: Treasure) -> None:
    by_cookie, signed_in, _, by_token, *_ = await strangers()
    make = database_sync_to_async(create_key)
    _, secret = await make(name="chatty", scopes=["chat"], requests_per_minute=0)
    chatty = Stranger(authorization=f"Bearer {secret}")
    for stranger in (Stranger(), by_cookie, signed_in, by_token, chatty):
        for route, methods in OPERATORS.items():
            for method in methods:
                answer = await stranger.call(method, treasure.address(route))
                assert answer.status_code in (401, 403), (route, answer.content)
                assert_tells_nothing(answer)
    assert await database_sync_to_async(state_now)() == treasure.state


def assert_tells_nothing(answer: Any) -> None:
    text = answer.content.decode()
    assert "treasure" not in text and "palm" not in text
