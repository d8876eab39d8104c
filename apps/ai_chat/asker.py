"""What the pool is told about who asks: keys that mean nothing elsewhere, and the priority."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass

from django.conf import settings

from ai_model.pool.priority import Priority

IPV4_PREFIX, IPV6_PREFIX = 24, 56
"""One customer's addresses: keys of visitors are free to mint, networks are not."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Opaque keys for a fair line."""

    visitor: str
    address: str = ""
    """Key of the address block; "" where it is unknown."""
    priority: Priority = Priority.VISITOR


def address_key(host: str) -> str:
    """Return the key of the block that an address belongs to, or "" if it tells nothing.

    An address that is not public is a proxy's or the own machine's, which everybody shares.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global:
        return ""
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    block = str(ipaddress.ip_network((address, prefix), strict=False))
    digest = hmac.new(settings.SECRET_KEY.encode(), b"address " + block.encode(), hashlib.sha256)
    return digest.hexdigest()[:32]
