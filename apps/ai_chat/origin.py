"""Whether the page that opened a socket is one of this site.

Browsers send ``Origin`` with every socket and let any page open one, so this is what keeps other
sites from using a visitor's cookie.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Origin(Enum):
    """Where a socket comes from."""

    OWN = auto()
    """A page of this site: its cookie counts."""
    NONE = auto()
    """No browser: cookies do not count, a token does."""
    FOREIGN = auto()
    """A page of another site: refused."""


def origin_of(scope: dict[str, Any]) -> Origin:
    """Judge the socket of ``scope``."""
    headers = dict(scope.get("headers", ()))
    host = headers.get(b"host", b"").decode("latin-1")
    if not is_host_ours(scope):
        return Origin.FOREIGN
    if b"origin" not in headers:
        return Origin.NONE
    origin = headers[b"origin"].decode("latin-1").lower()
    if origin in (trusted.lower() for trusted in settings.CSRF_TRUSTED_ORIGINS):
        return Origin.OWN
    is_own = _place(origin) is not None and _place(origin) == _place(f"{_scheme(origin)}://{host}")
    return Origin.OWN if is_own else Origin.FOREIGN


def is_own_page(scope: dict[str, Any]) -> bool:
    """True if a page of this site opened the socket of ``scope``."""
    return origin_of(scope) is Origin.OWN


def is_host_ours(scope: dict[str, Any]) -> bool:
    """False for a foreign name that points at this machine (DNS rebinding)."""
    host = dict(scope.get("headers", ())).get(b"host", b"").decode("latin-1")
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def origin_header(scope: dict[str, Any]) -> str:
    """The ``Origin`` header as it came; "" for none."""
    return str(dict(scope.get("headers", ())).get(b"origin", b"").decode("latin-1"))


def _scheme(origin: str) -> str:
    return origin.partition("://")[0]


def _place(address: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return parts.hostname, port or DEFAULT_PORTS[parts.scheme]
