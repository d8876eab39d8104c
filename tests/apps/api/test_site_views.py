"""Sites over REST: who may read and change them, and what of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from apps.widget import services
from apps.widget.models import Site
from tests.apps.api.operators import key_client, staff_client
from tests.apps.api.test_conversations import ANNA, client_of, error_of

pytestmark = pytest.mark.django_db
SITES = "/api/v1/sites/"


@pytest.fixture
def site() -> Site:
    site = Site.objects.create(name="Shop")
    services.allow_origin(site, "https://shop.example.org")
    return site


def patch(client: Client, site: Site, **values: Any) -> Any:
    return client.patch(f"{SITES}{site.key}/", values, content_type="application/json")


def test_sites_are_listed_and_read(site: Site) -> None:
    Site.objects.create(name="Blog")
    client = key_client("pool.read")
    assert [row["name"] for row in client.get(SITES).json()["results"]] == ["Blog", "Shop"]
    page = client.get(SITES, {"limit": 1}).json()
    assert [row["name"] for row in client.get(page["next"]).json()["results"]] == ["Shop"]
    answer = client.get(f"{SITES}{site.key}/")
    shown = answer.json()
    assert shown["origins"] == ["https://shop.example.org"] and shown["retention_days"] == 30
    assert site.identity_secret not in answer.content.decode() and "logo" not in shown
    headers = {"if-none-match": answer["ETag"]}
    assert client.get(f"{SITES}{site.key}/", headers=headers).status_code == 304


def test_a_site_is_changed(site: Site) -> None:
    client = key_client("pool.admin", name="deploy")
    changed = patch(client, site, name="Shoes", is_on=False, retention_days=7)
    assert changed.status_code == 200, changed.content
    site.refresh_from_db()
    assert (site.name, site.is_on, site.retention_days) == ("Shoes", False, 7)
    row = LogEntry.objects.get()
    assert row.object_id == str(site.pk) and row.user.is_active is False
    assert row.change_message == (
        f"Changed is_on, name, retention_days over the API. By the key {_key_name()}."
    )


def _key_name() -> str:
    from apps.api.models import ApiKey

    return str(ApiKey.objects.get())


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"accent": "red"},
        {"theme": "pink"},
        {"retention_days": 0},
        {"max_chars": 5000},
        {"max_inflight": 9},
        {"default_language": "xx"},
        {"privacy_url": "javascript:alert(1)"},
        {"contact": "nobody"},
    ],
)
def test_what_a_site_can_not_be(site: Site, values: dict[str, Any]) -> None:
    before = Site.objects.values().get()
    assert error_of(patch(key_client("pool.admin"), site, **values)) == (400, "invalid")
    assert Site.objects.values().get() == before and not LogEntry.objects.exists()


def test_what_stays_as_it_is(site: Site) -> None:
    secret = site.identity_secret
    values = {"key": "site_mine", "origins": ["https://evil.example"], "identity_secret": "x"}
    assert patch(key_client("pool.admin"), site, **values).status_code == 200
    site.refresh_from_db()
    assert site.key != "site_mine" and site.identity_secret == secret
    assert [row.origin for row in site.origins.all()] == ["https://shop.example.org"]


def test_who_may(site: Site) -> None:
    address = f"{SITES}{site.key}/"
    for client, reads, changes in (
        (Client(), 401, 401),
        (client_of(ANNA), 401, 401),
        (key_client("chat", name="chat"), 403, 403),
        (key_client("pool.read", name="read"), 200, 403),
        (key_client("pool.admin", name="admin"), 200, 200),
        (staff_client(name="nobody"), 403, 403),
        (staff_client("widget.view_site", name="viewer"), 200, 403),
        (staff_client("widget.change_site", name="changer"), 200, 200),
    ):
        assert client.get(address).status_code == reads
        assert client.get(SITES).status_code == reads
        assert patch(client, site, name="Shop").status_code == changes


def test_staff_need_the_csrf_token(site: Site) -> None:
    client = staff_client("widget.change_site", enforce_csrf_checks=True)
    assert error_of(patch(client, site, name="x")) == (403, "forbidden")


def test_an_unknown_site(site: Site) -> None:
    client = key_client("pool.admin")
    assert error_of(client.get(f"{SITES}site_no/")) == (404, "unknown_site")
    site.key = "x" * 500
    assert error_of(patch(client, site, name="x")) == (404, "unknown_site")
