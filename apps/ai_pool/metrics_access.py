"""Who may read the metrics: a bearer of the token, some addresses, staff."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from django.conf import settings
from django.http import HttpRequest

NOBODY = "none"
"""The value of CORRAL_METRICS_ALLOW that lets no address in."""
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


async def may_read(request: HttpRequest) -> bool:
    """Return whether whoever sent ``request`` may read the metrics.

    The token is compared in constant time. The database is asked only for who has a session.
    """
    if has_token(request) or is_allowed_address(request):
        return True
    user = await request.auser()
    return bool(user.is_active and user.is_staff)


def has_token(request: HttpRequest) -> bool:
    """Return whether a request carries CORRAL_METRICS_TOKEN; nobody does while that is empty."""
    wanted: str = settings.CORRAL_METRICS_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return (
        bool(wanted)
        and scheme.lower() == "bearer"
        and hmac.compare_digest(given.strip().encode("utf-8", "replace"), wanted.encode())
    )


def is_allowed_address(request: HttpRequest) -> bool:
    """Return whether a request comes from an address in CORRAL_METRICS_ALLOW.

    Behind a proxy on the same machine everybody seems to be local. So an address counts only if
    nothing hints at a proxy that NUM_PROXIES does not know of, and a local one only if the site was
    called by a local name.
    """
    address = client_address(request)
    if address is None:
        return False
    if address.is_loopback and _host_name(request) not in LOCAL_NAMES:
        return False
    return any(address in network for network in allowed_networks(settings.CORRAL_METRICS_ALLOW))


def client_address(request: HttpRequest) -> Address | None:
    """Return the address a request comes from, or None when that cannot be known for sure."""
    text = str(request.META.get("REMOTE_ADDR") or "")
    if any(name in request.META for name in _FORWARDED):
        # REMOTE_ADDR may be what the sender has written there: only the entry that our outermost
        # proxy has added can be believed.
        num_proxies = settings.REST_FRAMEWORK["NUM_PROXIES"]
        entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if not num_proxies or len(entries) < num_proxies:
            return None
        text = entries[-num_proxies].strip()
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


def allowed_networks(entries: Iterable[str]) -> list[Network]:
    """Return the networks of a setting; what is none of them lets nobody in."""
    return [network for entry in entries if (network := network_of(entry)) is not None]


def network_of(entry: str) -> Network | None:
    """Return an address or network as a network, or None when it is neither."""
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def _host_name(request: HttpRequest) -> str:
    host = request.META.get("HTTP_HOST", "").lower()
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
