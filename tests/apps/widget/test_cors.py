"""Which pages may read our answers."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.widget import services
from apps.widget.models import RefusedOrigin, Site
from tests.apps.widget.conftest import SHOP

pytestmark = pytest.mark.django_db
EVIL = "https://evil.example"
API = "/api/v1/conversations/"


def preflight(client: Client, path: str, origin: str, method: str = "DELETE"):  # type: ignore[no-untyped-def]
    return client.options(
        path,
        headers={
            "origin": origin,
            "access-control-request-method": method,
            "access-control-request-headers": "authorization,content-type",
        },
    )


@pytest.mark.parametrize("path", [API, "/api/v1/visitor", "/api/v1/chat/frames"])
def test_preflight_of_an_allowed_page(site: Site, client: Client, path: str) -> None:
    answer = preflight(client, path, SHOP)
    assert answer.status_code == 204 and answer.content == b""
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(
        answer["Access-Control-Allow-Methods"].split(", ")
    )
    assert "authorization" in answer["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"] and not answer.cookies


@pytest.mark.parametrize("origin", [EVIL, "null", "*", "https://shop.example.org.evil.example"])
def test_preflight_of_any_other_page(site: Site, client: Client, origin: str) -> None:
    answer = preflight(client, API, origin)
    assert "Access-Control-Allow-Origin" not in answer
    assert "Access-Control-Allow-Methods" not in answer
    assert "Origin" in answer["Vary"]
    assert not RefusedOrigin.objects.exists()


def test_preflight_for_one_site_asks_its_own_list(site: Site, client: Client) -> None:
    other = Site.objects.create(name="Other")
    services.allow_origin(other, EVIL)
    path = f"/w/sites/{site.key}/config"
    assert preflight(client, path, SHOP)["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Origin" not in preflight(client, path, EVIL)
    unknown = preflight(client, "/w/sites/site_unknown/config", SHOP)
    assert "Access-Control-Allow-Origin" not in unknown


def test_answers_are_marked_errors_too(site: Site, client: Client) -> None:
    for path in (API, "/api/v1/nothing"):
        answer = client.get(path, headers={"origin": SHOP})
        assert answer["Access-Control-Allow-Origin"] == SHOP
        assert "Access-Control-Allow-Credentials" not in answer
        assert "Access-Control-Allow-Origin" not in client.get(path, headers={"origin": EVIL})
        assert "Origin" in client.get(path)["Vary"]


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/pool/", "/health/live"])
def test_nothing_else_can_be_read(site: Site, client: Client, path: str) -> None:
    answer = client.get(path, headers={"origin": SHOP})
    assert "Access-Control-Allow-Origin" not in answer
    assert "Access-Control-Allow-Origin" not in preflight(client, path, SHOP)


def test_our_own_page_needs_no_permission(site: Site, client: Client) -> None:
    answer = client.get(API, headers={"origin": "http://testserver"})
    assert answer.status_code == 200 and "Access-Control-Allow-Origin" not in answer
