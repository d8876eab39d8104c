"""Making, finding and revoking keys of programs. Everything here uses the database.

A key is 256 random bits, so a plain SHA-256 of it is enough to recognise it by: nobody can try them
out, and there is nothing to slow down.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.utils import timezone

from apps.api.models import ApiKey

PREFIX = "corral_"
NUM_SHOWN_CHARS = len(PREFIX) + 4
MAX_CHARS = 128
USED_EVERY = timedelta(minutes=1)
"""The last use is noted at most so often: a write for each request would be dear."""


class BadKey(Exception):
    """A key that opens nothing; the text is one sentence, and says no more than a stranger may
    know."""


class BadKeyField(ValueError):
    """A value a key cannot have; the text is one sentence."""


def create_key(
    *,
    name: str,
    scopes: Iterable[str] = (ApiKey.Scope.CHAT,),
    allowed_networks: Iterable[str] = (),
    expires_at: datetime | None = None,
    created_by: Any = None,
    **limits: int,
) -> tuple[ApiKey, str]:
    """Make a key; returns its row and the key, which cannot be shown again.

    ``limits`` are ``requests_per_minute``, ``tokens_per_hour`` and ``max_running``, where they are
    not to be the usual ones. Raises BadKeyField.
    """
    name = " ".join(name.split())[:80]
    if not name:
        raise BadKeyField("A key needs a name that says which program has it.")
    if ApiKey.objects.filter(name=name).exists():
        raise BadKeyField(f"There is a key called {name!r} already.")
    if expires_at is not None and expires_at <= timezone.now():
        raise BadKeyField("A key cannot end before it begins.")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        name=name,
        prefix=secret[:NUM_SHOWN_CHARS],
        digest=digest_of(secret),
        scopes=checked_scopes(scopes),
        allowed_networks=checked_networks(allowed_networks),
        expires_at=expires_at,
        created_by=created_by,
        **limits,
    )
    return row, secret


def find_key(secret: str, *, address: str) -> ApiKey:
    """Return the usable key that ``secret`` is, for somebody at ``address``; notes its use.

    Raises BadKey.
    """
    if not secret or len(secret) > MAX_CHARS:
        raise BadKey("This API key is not valid.")
    key = ApiKey.objects.filter(digest=digest_of(secret)).first()
    if key is None or not key.is_usable:
        raise BadKey("This API key is not valid.")
    if not is_allowed_from(key, address):
        raise BadKey("This API key may not be used from here.")
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def revoke_key(key: ApiKey) -> None:
    """Let a key open nothing any more. Idempotent."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


def digest_of(secret: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def checked_scopes(scopes: Iterable[str]) -> list[str]:
    """Return the scopes in their usual order. Raises BadKeyField."""
    asked = set(scopes)
    unknown = sorted(asked - set(ApiKey.Scope.values))
    if unknown or not asked:
        known = ", ".join(ApiKey.Scope.values)
        raise BadKeyField(f"A key is good for one or more of {known}.")
    return [scope for scope in ApiKey.Scope.values if scope in asked]


def checked_networks(networks: Iterable[str]) -> list[str]:
    """Return addresses and networks in their usual form. Raises BadKeyField."""
    checked = []
    for text in networks:
        try:
            checked.append(str(ip_network(text.strip(), strict=False)))
        except ValueError:
            raise BadKeyField(f"{text[:60]!r} is no address and no network.") from None
    return checked


def is_allowed_from(key: ApiKey, address: str) -> bool:
    """Whether ``key`` may be used by somebody at ``address``."""
    if not key.allowed_networks:
        return True
    try:
        at: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(at, IPv6Address) and at.ipv4_mapped is not None:
        at = at.ipv4_mapped
    return any(at in ip_network(one) for one in key.allowed_networks)
