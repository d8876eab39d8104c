"""Lists of networks: of those who may read the metrics, of those who may use a key."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from apps.ai_pool.limits.client_address import Address

Network = IPv4Network | IPv6Network
MAX_NETWORK_CHARS = 60


def network_of(entry: str) -> Network | None:
    """Return an address or network as a network, or None when it is neither."""
    text = entry.strip()
    if len(text) > MAX_NETWORK_CHARS or "%" in text:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def networks_of(entries: Iterable[str]) -> list[Network]:
    """Return the networks of a list; what is none of them lets nobody in."""
    return [network for entry in entries if (network := network_of(entry)) is not None]


def is_inside(address: Address | None, entries: Iterable[str]) -> bool:
    """Return whether an address is in one of the networks; one that is not known is in none."""
    return address is not None and any(address in network for network in networks_of(entries))
