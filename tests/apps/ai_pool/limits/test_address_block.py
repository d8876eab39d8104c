"""Neighbours are one block, and what everybody shares is none."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from apps.ai_pool.limits.address_block import (
    address_block,
    line_of_address,
    request_block,
    scope_block,
)
from apps.ai_pool.limits.client_address import address_of


@pytest.mark.parametrize(
    ("address", "block", "line"),
    [
        ("203.0.114.9", "203.0.114.0/24", "203.0.114.9/32"),
        ("::ffff:203.0.114.9", "203.0.114.0/24", "203.0.114.9/32"),
        ("2a01:4f8:1:2ff:1::5", "2a01:4f8:1:200::/56", "2a01:4f8:1:2ff::/64"),
        ("10.1.2.3", "", ""),
        ("127.0.0.1", "", ""),
        ("::1", "", ""),
        ("", "", ""),
    ],
)
def test_the_block_and_the_line_of_an_address(address: str, block: str, line: str) -> None:
    assert address_block(address_of(address)) == block
    assert line_of_address(address_of(address)) == line
    assert request_block(RequestFactory().get("/", REMOTE_ADDR=address)) == block
    assert scope_block({"client": [address, 1], "headers": []}) == block


def test_behind_a_proxy_the_visitor_s_address_counts(settings: Settings) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    forwarded = "198.51.100.1, 203.0.114.9"
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    assert request_block(request) == "203.0.114.0/24"
    headers = [(b"x-forwarded-for", forwarded.encode())]
    scope = {"client": ["127.0.0.1", 1], "headers": headers}
    assert scope_block(scope) == "203.0.114.0/24"
