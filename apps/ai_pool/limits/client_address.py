"""Which address a request or a socket comes from, and how sure that is.

Only headers of the proxies that NUM_PROXIES counts are believed: everything before the entry that
our outermost proxy has added is what the sender wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
MAX_ADDRESS_CHARS = 45
"""An IPv6 address with an IPv4 one inside, written out."""
FORWARDED_FOR = "x-forwarded-for"
_HINTS = (FORWARDED_FOR, "forwarded", "x-real-ip")
"""Headers that only proxies have a reason to send."""


def client_address(request: HttpRequest) -> Address | None:
    """Return the address a request comes from, or None when that cannot be known for sure.

    For decisions that let somebody in. What somebody has used is counted by ``counted_address``.
    """
    return _known(_peer(request), _headers(request))


def scope_address(scope: Mapping[str, Any]) -> Address | None:
    """Return the address a socket comes from, by the same rules as ``client_address``."""
    return _known(_scope_peer(scope), _scope_headers(scope))


def counted_address(request: HttpRequest) -> Address | None:
    """Return the address that what a request uses is counted for.

    Where it is not sure it is that of whoever is connected: a header that nobody asked for must
    not free its sender from limits.
    """
    return client_address(request) or address_of(_peer(request))


def counted_scope_address(scope: Mapping[str, Any]) -> Address | None:
    """Return the address that what a socket uses is counted for; see ``counted_address``."""
    return scope_address(scope) or address_of(_scope_peer(scope))


def address_of(text: str) -> Address | None:
    """Return a text as an address, or None when it is none; IPv4 inside IPv6 is IPv4."""
    # A zone (fe80::1%eth0) means something on one machine only, and may be as long as one likes.
    if len(text) > MAX_ADDRESS_CHARS or "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


def _known(peer: str, headers: Mapping[str, str]) -> Address | None:
    if not any(name in headers for name in _HINTS):
        return address_of(peer)
    # The peer may be what the sender has written there: Daphne takes the first entry.
    num_proxies = settings.REST_FRAMEWORK["NUM_PROXIES"]
    entries = headers.get(FORWARDED_FOR, "").split(",")
    if not num_proxies or len(entries) < num_proxies:
        return None
    return address_of(entries[-num_proxies].strip())


def _peer(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR") or "")


def _headers(request: HttpRequest) -> dict[str, str]:
    names = {name: "HTTP_" + name.upper().replace("-", "_") for name in _HINTS}
    return {name: str(request.META[key]) for name, key in names.items() if key in request.META}


def _scope_peer(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _scope_headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers that hint at a proxy; several of one name are one list, as in a request."""
    found: dict[str, str] = {}
    for raw, value in scope.get("headers", ()):
        name = raw.decode("latin-1").lower()
        if name in _HINTS:
            text = value.decode("latin-1")
            found[name] = f"{found[name]},{text}" if name in found else text
    return found
