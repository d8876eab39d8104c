"""Visitors and users of websites over REST: by token and page origin, and by nothing else."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from django.test import Client

from apps.ai_chat.models import Conversation
from apps.ai_chat.visitor import (
    COOKIE_NAME,
    Visitor,
    sign,
    visitor_of_id,
    visitor_of_widget,
    visitor_of_widget_user,
)
from apps.widget import services
from apps.widget.models import RefusedOrigin, Site
from tests.apps.api.test_conversations import ANNA, LIST, error_of, exchange

pytestmark = pytest.mark.django_db
SHOP, BLOG, EVIL = "https://shop.example.org", "https://blog.example.org", "https://evil.example"
VISITOR_ID = "c" * 32


@pytest.fixture
def site() -> Site:
    site = Site.objects.create(name="Shop")
    services.allow_origin(site, SHOP)
    return site


@pytest.fixture
def visitor(site: Site) -> Visitor:
    return visitor_of_widget(site, VISITOR_ID)


def token_of(site: Site, origin: str = SHOP) -> str:
    return services.mint_token(site=site, origin=origin, visitor_id=VISITOR_ID)[0]


def bearer(token: str, origin: str | None = SHOP) -> dict[str, str]:
    headers = {"authorization": f"Bearer {token}"}
    return headers | ({"origin": origin} if origin else {})


def titles(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["title"] for row in answer.json()["results"]]


def test_the_token_opens_the_visitors_conversations(
    site: Site, visitor: Visitor, client: Client
) -> None:
    exchange(visitor, "Mine")
    exchange(visitor_of_id(ANNA), "Not mine")
    answer = client.get(LIST, headers=bearer(token_of(site)))
    assert titles(answer) == ["Mine"]
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in answer and not answer.cookies


def test_writing_needs_no_csrf_token(site: Site, visitor: Visitor) -> None:
    client = Client(enforce_csrf_checks=True)
    sent = exchange(visitor, "Mine")
    address = f"{LIST}{sent.conversation}/"
    headers = bearer(token_of(site))
    renamed = client.patch(
        address, {"title": "Shoes"}, content_type="application/json", headers=headers
    )
    assert renamed.status_code == 200 and renamed.json()["title"] == "Shoes"
    assert renamed["Access-Control-Allow-Origin"] == SHOP
    assert client.delete(address, headers=headers).status_code == 204
    assert not Conversation.objects.exists()


def test_a_token_is_worth_nothing_elsewhere(site: Site, visitor: Visitor, client: Client) -> None:
    services.allow_origin(site, BLOG)
    exchange(visitor, "Mine")
    stolen = token_of(site)
    answer = client.get(LIST, headers=bearer(stolen, BLOG))
    assert error_of(answer) == (401, "unauthorised"), "from another page of the same site"
    assert answer["Access-Control-Allow-Origin"] == BLOG, "the page can read why"
    assert error_of(client.get(LIST, headers=bearer(stolen, None))) == (403, "origin_not_allowed")
    answer = client.get(LIST, headers=bearer(stolen, EVIL))
    assert error_of(answer) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer
    assert RefusedOrigin.objects.filter(origin=EVIL).exists()


def test_an_origin_of_another_site_does_not_help(
    site: Site, visitor: Visitor, client: Client
) -> None:
    other = Site.objects.create(name="Other")
    services.allow_origin(other, BLOG)
    exchange(visitor, "Mine")
    token, _ = services.mint_token(site=other, origin=BLOG, visitor_id=VISITOR_ID)
    assert titles(client.get(LIST, headers=bearer(token, BLOG))) == [], "another visitor there"
    error = error_of(client.get(LIST, headers=bearer(token_of(site, BLOG), BLOG)))
    assert error == (403, "origin_not_allowed")


def test_a_page_of_our_own_host_sends_no_origin(
    site: Site, visitor: Visitor, client: Client
) -> None:
    services.allow_origin(site, "http://testserver")
    exchange(visitor, "Mine")
    token = token_of(site, "http://testserver")
    assert titles(client.get(LIST, headers=bearer(token, None))) == ["Mine"]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJ.a.b", "é", "x" * 6000, "null"])
def test_forged_tokens(site: Site, client: Client, token: str) -> None:
    assert error_of(client.get(LIST, headers=bearer(token))) == (401, "unauthorised")


def test_a_deleted_site(site: Site, client: Client) -> None:
    token = token_of(site)
    site.delete()
    assert error_of(client.get(LIST, headers=bearer(token))) == (404, "unknown_site")


def test_cookies_do_not_help_a_bad_token(site: Site, client: Client) -> None:
    """With a token only the token counts: a page of ours may carry somebody else's."""
    exchange(visitor_of_id(ANNA), "Anna's")
    client.cookies[COOKIE_NAME] = sign(ANNA)
    assert titles(client.get(LIST, headers=bearer(token_of(site)))) == []
    assert error_of(client.get(LIST, headers=bearer("forged")))[0] == 401
    assert titles(client.get(LIST)) == ["Anna's"]


def test_other_schemes_of_the_header_are_not_ours(site: Site, client: Client) -> None:
    headers = {"authorization": "Basic YTpi", "origin": SHOP}
    assert titles(client.get(LIST, headers=headers)) == []


def test_a_visitor_keeps_reading_when_the_site_is_off(
    site: Site, visitor: Visitor, client: Client
) -> None:
    exchange(visitor, "Mine")
    Site.objects.update(is_on=False)
    assert titles(client.get(LIST, headers=bearer(token_of(site)))) == ["Mine"]


def test_a_user_of_the_website_comes_by_jwt(site: Site, client: Client) -> None:
    exchange(visitor_of_widget_user(site, "user-7"), "Mine")

    def ask(secret: str, origin: str = SHOP, **changes: Any) -> Any:
        claims = {"sub": "user-7", "aud": site.key, "exp": time.time() + 60} | changes
        user_jwt = jwt.encode(claims, secret, algorithm="HS256")
        return client.get(LIST, headers=bearer(user_jwt, origin))

    assert titles(ask(site.identity_secret)) == ["Mine"]
    assert titles(ask(site.identity_secret, sub="user-8")) == []
    assert error_of(ask("another secret, long enough to sign with")) == (401, "unauthorised")
    assert error_of(ask(site.identity_secret, EVIL)) == (403, "origin_not_allowed")
    assert error_of(ask(site.identity_secret, aud="site_0000000000000000"))[0] == 404
    assert error_of(ask(site.identity_secret, exp=time.time() + 7200))[0] == 401
