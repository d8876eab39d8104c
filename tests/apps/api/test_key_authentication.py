"""Programs with a key at REST: which keys open, with what scope, how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.api.api_keys import create_key, revoke_key
from apps.api.models import ApiKey
from tests.apps.api.operators import key_client

pytestmark = pytest.mark.django_db
ACTIONS = "/api/v1/pool/actions/"


def refused(client: Client, **headers: str) -> tuple[int, str, str]:
    answer = client.get(ACTIONS, headers=headers)
    error = answer.json()["error"]
    assert answer.get("WWW-Authenticate", "") == ("Bearer" if answer.status_code == 401 else "")
    return answer.status_code, error["code"], error["message"]


def test_a_key_opens_and_its_use_is_noted() -> None:
    client = key_client("pool.read")
    assert client.get(ACTIONS).status_code == 200
    assert ApiKey.objects.get().last_used_at is not None


@pytest.mark.parametrize("secret", ["corral_", "corral_" + "x" * 43, "corral_" + "é" * 500])
def test_a_key_nobody_made(secret: str) -> None:
    client = Client(headers={"authorization": f"Bearer {secret}"})
    assert refused(client) == (401, "unauthorised", "This API key is not valid.")


def test_a_key_that_has_ended(client: Client) -> None:
    key, secret = create_key(name="shop", scopes=["pool.read"])
    header = {"authorization": f"Bearer {secret}"}
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(client, **header)[0] == 401
    ApiKey.objects.update(expires_at=None)
    assert client.get(ACTIONS, headers=header).status_code == 200
    revoke_key(key)
    assert refused(client, **header)[0] == 401


def test_a_key_is_good_for_its_networks_only() -> None:
    client = key_client("pool.read", allowed_networks=["192.0.2.0/24"])
    assert refused(client)[1:] == ("unauthorised", "This API key may not be used from here.")
    assert client.get(ACTIONS, REMOTE_ADDR="192.0.2.7").status_code == 200
    forged = client.get(ACTIONS, headers={"x-forwarded-for": "192.0.2.7"})
    assert forged.status_code == 401, "what somebody writes is no address"


def test_cookies_of_staff_do_not_help_a_key(admin_client: Client) -> None:
    assert admin_client.get(ACTIONS).status_code == 200
    _, secret = create_key(name="chat", scopes=["chat"])
    code, _, text = refused(admin_client, authorization=f"Bearer {secret}")
    assert (code, text) == (403, "This API key is not good for pool.read.")


def test_a_key_may_ask_so_often_in_a_minute(settings: Any) -> None:
    client = key_client("pool.read", requests_per_minute=3)
    assert [client.get(ACTIONS).status_code for _ in range(3)] == [200] * 3
    answer = client.get(ACTIONS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limited")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert key_client("pool.read", name="other").get(ACTIONS).status_code == 200


def test_a_key_without_limit() -> None:
    client = key_client("pool.read", requests_per_minute=0)
    assert {client.get(ACTIONS).status_code for _ in range(80)} == {200}
