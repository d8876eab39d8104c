"""An address is in a network or not; what is no network lets nobody in."""

from __future__ import annotations

import pytest

from apps.ai_pool.limits.client_address import address_of
from apps.ai_pool.limits.networks import is_inside, network_of, networks_of


@pytest.mark.parametrize(
    ("entries", "address", "is_in"),
    [
        (["10.0.0.0/24"], "10.0.0.7", True),
        (["10.0.0.7/24"], "10.0.0.9", True),
        ([" 10.0.0.7 "], "10.0.0.7", True),
        (["10.0.0.0/24"], "10.0.1.7", False),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::/32"], "10.0.0.7", False),
        (["10.0.0.7"], "::ffff:10.0.0.7", True),
        (["rubbish", "10.0.0.7"], "10.0.0.7", True),
        (["rubbish"], "10.0.0.7", False),
        ([], "10.0.0.7", False),
        (["0.0.0.0/0"], "nowhere", False),
    ],
)
def test_who_is_inside(entries: list[str], address: str, is_in: bool) -> None:
    assert is_inside(address_of(address), entries) is is_in


@pytest.mark.parametrize("entry", ["", "x", "10.0.0.0/33", "fe80::1%eth0", "1" * 10_000])
def test_what_is_no_network(entry: str) -> None:
    assert network_of(entry) is None and networks_of([entry]) == []
