"""Keys open what they may, and nothing after their end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.api.api_keys import BadKey, BadKeyField, create_key, find_key, revoke_key
from apps.api.models import ApiKey

pytestmark = pytest.mark.django_db
HERE = "192.0.2.7"


def test_a_key_opens_and_is_not_stored() -> None:
    key, secret = create_key(name="shop")
    assert find_key(secret, address=HERE) == key
    stored = str(ApiKey.objects.values().get())
    assert secret not in stored and key.prefix in secret and len(secret) > 40


def test_its_use_is_noted() -> None:
    _, secret = create_key(name="shop")
    find_key(secret, address=HERE)
    used = ApiKey.objects.get().last_used_at
    assert used is not None
    find_key(secret, address=HERE)
    assert ApiKey.objects.get().last_used_at == used, "a write for each request would be dear"


@pytest.mark.parametrize("wrong", ["", "corral_wrong", "x" * 5000, "corral_\ud800"])
def test_another_key_opens_nothing(wrong: str) -> None:
    create_key(name="shop")
    with pytest.raises(BadKey):
        find_key(wrong, address=HERE)


def test_revoked_and_expired_keys_open_nothing() -> None:
    key, revoked = create_key(name="one")
    revoke_key(key)
    key, expired = create_key(name="two", expires_at=timezone.now() + timedelta(days=1))
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    for secret in (revoked, expired):
        with pytest.raises(BadKey):
            find_key(secret, address=HERE)
    assert [one.state for one in ApiKey.objects.all()] == ["revoked", "expired"]


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_only_from_where_it_may_be_used(address: str, is_allowed: bool) -> None:
    _, secret = create_key(name="shop", allowed_networks=["192.0.2.0/24", "2001:db8::/32"])
    if is_allowed:
        find_key(secret, address=address)
        return
    with pytest.raises(BadKey, match="from here"):
        find_key(secret, address=address)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "taken"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"allowed_networks": ["somewhere"]},
        {"expires_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_keys_that_cannot_be(wrong: dict[str, object]) -> None:
    create_key(name="taken")
    with pytest.raises(BadKeyField):
        create_key(**({"name": "new"} | wrong))  # type: ignore[arg-type]
    assert ApiKey.objects.count() == 1


def test_who_may_steer_may_see() -> None:
    key, _ = create_key(name="ops", scopes=["pool.admin"])
    assert key.has_scope("pool.read") and not key.has_scope("chat")
