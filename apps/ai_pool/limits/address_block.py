"""The block of addresses that one customer of a network usually has."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from django.http import HttpRequest

from apps.ai_pool.limits.client_address import (
    Address,
    counted_address,
    counted_scope_address,
)

IPV4_PREFIX, IPV6_PREFIX = 24, 56
"""One customer's addresses: keys of visitors are free to mint, networks are not."""
HOST_PREFIX, SUBNET_PREFIX = 32, 64
"""One line's addresses: in IPv6 every device has a whole /64 to choose from."""


def address_block(address: Address | None) -> str:
    """Return the block that an address belongs to, or "" if the address tells nothing.

    One that is not public is a proxy's or this machine's, which everybody shares.
    """
    return _network(address, IPV4_PREFIX, IPV6_PREFIX)


def request_block(request: HttpRequest) -> str:
    """Return the block that what a request uses is counted for, or ""."""
    return address_block(counted_address(request))


def scope_block(scope: Mapping[str, Any]) -> str:
    """Return the block that what a socket uses is counted for, or ""."""
    return address_block(counted_scope_address(scope))


def line_of_address(address: Address | None) -> str:
    """Return the one line that an address belongs to, or "" if the address tells nothing.

    For what nobody but a crowd needs many of, such as open sockets.
    """
    return _network(address, HOST_PREFIX, SUBNET_PREFIX)


def _network(address: Address | None, ipv4_prefix: int, ipv6_prefix: int) -> str:
    if address is None or not address.is_global:
        return ""
    prefix = ipv4_prefix if address.version == 4 else ipv6_prefix
    return str(ip_network((address, prefix), strict=False))
