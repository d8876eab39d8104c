"""Who may read the metrics: a bearer of the token, some addresses, staff."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import HttpRequest

from apps.ai_pool.limits.client_address import client_address
from apps.ai_pool.limits.networks import is_inside

NOBODY = "none"
"""The value of CORRAL_METRICS_ALLOW that lets no address in."""
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


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
    return is_inside(address, settings.CORRAL_METRICS_ALLOW)


def _host_name(request: HttpRequest) -> str:
    host = request.META.get("HTTP_HOST", "").lower()
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
