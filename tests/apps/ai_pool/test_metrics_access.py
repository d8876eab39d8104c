"""Who may read the metrics, and who cannot talk their way in."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from apps.ai_pool.metrics_access import has_token, is_allowed_address

TOKEN = "a-token-of-more-than-twenty-characters"


def asked(
    address: str | None = "127.0.0.1", host: str = "localhost:8000", **meta: Any
) -> HttpRequest:
    """Return a request for the metrics."""
    return RequestFactory().get("/metrics", REMOTE_ADDR=address, HTTP_HOST=host, **meta)


@pytest.mark.parametrize(
    ("header", "is_right"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer   {TOKEN}", True),
        (f"Bearer {TOKEN}x", False),
        (f"Bearer {TOKEN[:-1]}", False),
        (f"Basic {TOKEN}", False),
        (f"Bearer {TOKEN}é", False),
        (TOKEN, False),
        ("Bearer", False),
        ("Bearer ", False),
        ("", False),
    ],
)
def test_token(settings: Settings, header: str, is_right: bool) -> None:
    settings.CORRAL_METRICS_TOKEN = TOKEN
    assert has_token(asked(HTTP_AUTHORIZATION=header)) is is_right


@pytest.mark.parametrize("header", ["Bearer ", "Bearer", "Bearer x"])
def test_without_a_token_nobody_has_it(settings: Settings, header: str) -> None:
    settings.CORRAL_METRICS_TOKEN = ""
    assert not has_token(asked(HTTP_AUTHORIZATION=header))


@pytest.mark.parametrize(
    ("address", "host", "is_in"),
    [
        ("127.0.0.1", "localhost:8000", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "[::1]:8000", True),
        ("::ffff:127.0.0.1", "127.0.0.1:8000", True),
        # A proxy on this machine that passes the name on, and says nothing else.
        ("127.0.0.1", "chat.example.org", False),
        ("127.0.0.1", "localhost.example.org", False),
        ("127.0.0.2", "localhost", False),
        ("10.0.0.7", "chat.example.org", False),
        ("", "localhost", False),
        (None, "localhost", False),
        ("unix:", "localhost", False),
    ],
)
def test_the_own_machine_by_default(address: str | None, host: str, is_in: bool) -> None:
    assert is_allowed_address(asked(address, host)) is is_in


@pytest.mark.parametrize(
    ("entries", "address", "is_in"),
    [
        (["10.0.0.0/24"], "10.0.0.7", True),
        (["10.0.0.7/24"], "10.0.0.9", True),
        (["10.0.0.0/24"], "10.0.1.7", False),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["10.0.0.7"], "::ffff:10.0.0.7", True),
        (["none"], "10.0.0.7", False),
        (["prometheus.example.org", "10.0.0.7"], "10.0.0.7", True),
    ],
)
def test_networks(settings: Settings, entries: list[str], address: str, is_in: bool) -> None:
    settings.CORRAL_METRICS_ALLOW = entries
    assert is_allowed_address(asked(address, "chat.example.org")) is is_in


@pytest.mark.parametrize("name", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"])
def test_a_proxy_nobody_counts(name: str) -> None:
    """Everybody seems to be local then, or whoever they say they are."""
    assert not is_allowed_address(asked(**{name: "127.0.0.1"}))
