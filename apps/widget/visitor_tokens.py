"""Visitor tokens: what a browser shows to be the same visitor again.

A token says ``{v, site, origin, iat, exp}`` and which key signed it. It is worth nothing on another
site or from another page origin, and for 30 days after it was last renewed. The server stores none.

Written as ``<key id>.<payload>.<signature>``; the signature covers everything before it, and is
compared as text in constant time, so that no byte of a token can be changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import time
from typing import Any

from django.conf import settings
from django.core import signing

from apps.widget.errors import BadOrigin, BadToken
from apps.widget.models import Site
from apps.widget.origins import parse_origin

LIFETIME_S = 30 * 24 * 3600
MAX_CHARS = 1024
"""Ours have about 300 characters; longer ones are not even looked at."""
_CLOCK_SKEW_S = 300
"""Several servers may differ by so much."""
_NUM_ID_CHARS = 32
_SALT = "corral.widget.visitor"
_INVALID = "This visitor token is not valid here."


def new_visitor_id() -> str:
    """A fresh random id of 128 bits; it never leaves the server but inside a token."""
    return secrets.token_hex(_NUM_ID_CHARS // 2)


def mint_token(*, site: Site, origin: str, visitor_id: str) -> tuple[str, int]:
    """A token for this visitor on this site and origin, and when it ends (epoch seconds).

    Minting for a known visitor renews the token. Raises BadToken for an origin that is none.
    """
    now = int(time.time())
    payload = {
        "v": visitor_id,
        "site": site.key,
        "origin": _normal(origin),
        "iat": now,
        "exp": now + LIFETIME_S,
    }
    body = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
    text = base64.urlsafe_b64encode(body).decode("ascii").rstrip("=")
    key = settings.SECRET_KEY
    return _signer(key).sign(f"{_key_id(key)}.{text}"), now + LIFETIME_S


def read_token(*, token: str, site: Site, origin: str) -> str:
    """The visitor id in a token. Raises BadToken when it is forged, too old, or from elsewhere."""
    if not isinstance(token, str) or len(token) > MAX_CHARS or not token.isascii():
        raise BadToken(_INVALID)
    payload = _payload(_unsign(token))
    if payload["exp"] <= time.time() or payload["iat"] > time.time() + _CLOCK_SKEW_S:
        raise BadToken("This visitor token is too old.")
    if payload["site"] != site.key or payload["origin"] != _normal(origin):
        raise BadToken(_INVALID)
    visitor_id: str = payload["v"]
    return visitor_id


def site_key_of(token: str) -> str:
    """The key of the site a token was made for; only to find the site, it proves nothing more.

    Raises BadToken for a token that we did not sign.
    """
    if len(token) > MAX_CHARS or not token.isascii():
        raise BadToken(_INVALID)
    key: str = _payload(_unsign(token))["site"]
    return key


def _unsign(token: str) -> str:
    keys = {_key_id(key): key for key in (*settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY)}
    key = keys.get(token.partition(".")[0])
    if key is None:
        raise BadToken(_INVALID)
    try:
        signed: str = _signer(key).unsign(token)
    except signing.BadSignature:
        raise BadToken(_INVALID) from None
    return signed.partition(".")[2]


def _payload(text: str) -> dict[str, Any]:
    try:
        payload = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        known = {"v": str, "site": str, "origin": str, "iat": int, "exp": int}
        if all(type(payload[name]) is kind for name, kind in known.items()):
            return dict(payload)
    except (ValueError, TypeError, KeyError, binascii.Error):
        pass
    raise BadToken(_INVALID)


def _signer(key: str) -> signing.Signer:
    return signing.Signer(key=key, sep=".", salt=_SALT, fallback_keys=())


def _key_id(key: str) -> str:
    """A name for a key that tells nothing about it."""
    return hashlib.sha256(f"{_SALT}:{key}".encode()).hexdigest()[:8]


def _normal(origin: str) -> str:
    try:
        return str(parse_origin(origin))
    except BadOrigin as error:
        raise BadToken(error.text) from None
