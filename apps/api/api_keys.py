"""Making, finding and revoking keys of programs. Everything here uses the database.

A key is 256 random bits, so a plain SHA-256 of it is enough to recognise it by: nobody can try them
out, and there is nothing to slow down.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.ai_pool.limits.client_address import address_of
from apps.ai_pool.limits.networks import is_inside, network_of
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
    name = checked_name(name)
    if expires_at is not None and expires_at <= timezone.now():
        raise BadKeyField("A key cannot end before it begins.")
    secret = _new_secret()
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
    key = _row_of(digest_of(secret))
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


def change_key(key: ApiKey, fields: Mapping[str, Any]) -> list[str]:
    """Change a key, which stays the same for whoever has it; returns what is really other now.

    ``fields`` may hold name, scopes, allowed_networks, expires_at and the limits. Raises
    BadKeyField.
    """
    checks = {"scopes": checked_scopes, "allowed_networks": checked_networks}
    wanted = {name: checks.get(name, _as_it_is)(value) for name, value in fields.items()}
    changed = [name for name, value in wanted.items() if getattr(key, name) != value]
    if "name" in changed:
        wanted["name"] = checked_name(wanted["name"])
    for name in changed:
        setattr(key, name, wanted[name])
    if changed:
        key.save(update_fields=changed)
    return changed


def rotate_key(key: ApiKey, *, keep: timedelta = timedelta()) -> str:
    """Give a key another secret, which is returned and cannot be shown again; name, scopes and
    limits stay. The one it had works for ``keep`` yet, those before it no more. Raises BadKeyField
    for a key that opens nothing."""
    if not key.is_usable:
        raise BadKeyField(f"The key {key.name!r} is {key.state}; make another one.")
    secret = _new_secret()
    key.former_digest = key.digest if keep else ""
    key.former_until = timezone.now() + keep if keep else None
    key.digest, key.prefix = digest_of(secret), secret[:NUM_SHOWN_CHARS]
    key.save(update_fields=["former_digest", "former_until", "digest", "prefix"])
    return secret


def is_good(key: ApiKey) -> bool:
    """Whether a key that was good when it was shown still is."""
    found = ApiKey.objects.filter(pk=key.pk).first()
    return found is not None and found.is_usable


def digest_of(secret: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def checked_name(name: str) -> str:
    """Return a name as it is kept. Raises BadKeyField."""
    name = " ".join(name.split())[:80]
    if not name:
        raise BadKeyField("A key needs a name that says which program has it.")
    if ApiKey.objects.filter(name=name).exists():
        raise BadKeyField(f"There is a key called {name!r} already.")
    return name


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
        network = network_of(text)
        if network is None:
            raise BadKeyField(f"{text[:60]!r} is no address and no network.")
        checked.append(str(network))
    return checked


def is_allowed_from(key: ApiKey, address: str) -> bool:
    """Whether ``key`` may be used by somebody at ``address``."""
    return not key.allowed_networks or is_inside(address_of(address), key.allowed_networks)


def _row_of(digest: str) -> ApiKey | None:
    row = ApiKey.objects.filter(digest=digest).first()
    if row is not None:
        return row
    now = timezone.now()
    return ApiKey.objects.filter(former_digest=digest, former_until__gt=now).first()


def _new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _as_it_is(value: Any) -> Any:
    return value
