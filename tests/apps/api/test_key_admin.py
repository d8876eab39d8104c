"""Keys in the admin."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.api.api_keys import create_key, find_key
from apps.api.models import ApiKey

pytestmark = pytest.mark.django_db
FORM = {
    "name": "shop",
    "scopes": ["chat"],
    "allowed_networks": "192.0.2.0/24\n2001:db8::1",
    "requests_per_minute": "7",
    "tokens_per_hour": "0",
    "max_running": "2",
}


def test_a_new_key_is_shown_once(admin_client: Client) -> None:
    page = admin_client.post("/admin/api/apikey/add/", FORM, follow=True).content.decode()
    secret = re.search(r"corral_[\w-]{40,}", page)
    assert secret is not None
    key = find_key(secret[0], address="192.0.2.1")
    assert key.allowed_networks == ["192.0.2.0/24", "2001:db8::1/128"]
    assert (key.requests_per_minute, key.tokens_per_hour, key.max_running) == (7, 0, 2)
    assert key.created_by is not None and key.created_by.is_superuser
    again = admin_client.get(f"/admin/api/apikey/{key.pk}/change/").content.decode()
    assert secret[0] not in again and key.prefix in again


def test_a_key_is_changed_and_revoked(admin_client: Client) -> None:
    admin_client.post("/admin/api/apikey/add/", FORM)
    key = ApiKey.objects.get()
    changed = FORM | {"scopes": ["pool.read"], "allowed_networks": ""}
    admin_client.post(f"/admin/api/apikey/{key.pk}/change/", changed)
    key.refresh_from_db()
    assert (key.scopes, key.allowed_networks, key.digest != "") == (["pool.read"], [], True)
    action = {"action": "revoke", "_selected_action": [key.pk]}
    admin_client.post("/admin/api/apikey/", action)
    key.refresh_from_db()
    assert key.state == "revoked"


def test_no_network(admin_client: Client) -> None:
    page = admin_client.post("/admin/api/apikey/add/", FORM | {"allowed_networks": "here"})
    assert "is no address and no network" in page.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_rotated(admin_client: Client) -> None:
    key, first = create_key(name="shop")
    action = {"action": "rotate", "_selected_action": [key.pk]}
    page = admin_client.post("/admin/api/apikey/", action, follow=True).content.decode()
    shown = re.search(r"corral_[\w-]{40,}", page)
    assert shown is not None and shown[0] != first
    for secret in (first, shown[0]):
        assert find_key(secret, address="").pk == key.pk, "the first one for a day yet"
