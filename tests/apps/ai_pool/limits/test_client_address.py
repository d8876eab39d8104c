"""Which address counts: of a request and of a socket alike."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from apps.ai_pool.limits.client_address import (
    address_of,
    client_address,
    counted_address,
    counted_scope_address,
    scope_address,
)

FORWARDED = [
    ("10.0.0.7", 1, "10.0.0.7"),
    # What comes before is the visitor's own writing.
    ("127.0.0.1, 203.0.113.9", 1, "203.0.113.9"),
    ("127.0.0.1, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
    ("203.0.113.9", 2, None),
    ("rubbish", 1, None),
    ("", 1, None),
    # Nobody has said that there is a proxy.
    ("203.0.113.9", 0, None),
]


def asked(peer: str | None, **headers: str) -> HttpRequest:
    return RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)


def opened(peer: str, *headers: tuple[str, str]) -> dict[str, Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "websocket", "client": [peer, 4711], "headers": pairs}


def behind(settings: Settings, num_proxies: int) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": num_proxies}


def text(address: Any) -> str | None:
    return None if address is None else str(address)


@pytest.mark.parametrize(("forwarded", "num_proxies", "address"), FORWARDED)
def test_behind_proxies(
    settings: Settings, forwarded: str, num_proxies: int, address: str | None
) -> None:
    behind(settings, num_proxies)
    # Daphne has put the first entry where the peer stands.
    first = forwarded.split(",")[0]
    header = {"X-Forwarded-For": forwarded}
    assert text(client_address(asked(first, **header))) == address
    assert text(scope_address(opened(first, ("x-forwarded-for", forwarded)))) == address


def test_a_header_sent_twice_is_one_list(settings: Settings) -> None:
    """The proxy's is the last, whatever the sender has put before it."""
    behind(settings, 1)
    scope = opened(
        "192.0.2.1", ("x-forwarded-for", "192.0.2.1"), ("X-Forwarded-For", "203.0.113.9")
    )
    assert text(scope_address(scope)) == "203.0.113.9"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_proxy_nobody_counts_makes_it_unsure(name: str) -> None:
    assert client_address(asked("127.0.0.1", **{name: "127.0.0.1"})) is None
    assert scope_address(opened("127.0.0.1", (name.lower(), "127.0.0.1"))) is None


def test_a_proxy_without_the_header_it_should_have_sent(settings: Settings) -> None:
    """The sender has written another header to look local."""
    behind(settings, 1)
    assert client_address(asked("127.0.0.1", **{"X-Real-IP": "127.0.0.1"})) is None


def test_no_header_frees_its_sender_from_limits() -> None:
    """What is not sure lets nobody in, but is counted for whoever is connected."""
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert text(counted_address(asked("203.0.114.9", **{name: "x"}))) == "203.0.114.9"
        assert text(counted_scope_address(opened("203.0.114.9", (name.lower(), "x")))) == (
            "203.0.114.9"
        )


def test_the_proxy_s_word_is_what_is_counted(settings: Settings) -> None:
    behind(settings, 1)
    header = {"X-Forwarded-For": "192.0.2.7, 203.0.114.9"}
    assert text(counted_address(asked("192.0.2.7", **header))) == "203.0.114.9"


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("::ffff:93.184.216.34", "93.184.216.34"),
        ("2A00:1450::1", "2a00:1450::1"),
        ("fe80::1%eth0", None),
        ("2a00::1%" + "x" * 10_000, None),
        ("1" * 10_000, None),
        ("unix:", None),
        ("testclient", None),
        ("", None),
    ],
)
def test_texts(words: str, address: str | None) -> None:
    assert text(address_of(words)) == address


@pytest.mark.parametrize("scope", [{}, {"client": None}, {"client": ["", 0]}])
def test_a_socket_from_nowhere(scope: dict[str, Any]) -> None:
    assert scope_address(scope) is None and counted_scope_address(scope) is None
