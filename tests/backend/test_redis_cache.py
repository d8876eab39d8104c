"""The shared cache against a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import caches
from django.test import override_settings

from backend.cache import TIMEOUT_S, cache
from tests.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(autouse=True)
def redis(default_settings: Any, server: RedisServer) -> Iterator[None]:
    with override_settings(CACHES={"default": cache(server.url)}):
        caches["default"].clear()
        yield


def raw() -> Any:
    return caches["default"]._cache.get_client()  # type: ignore[attr-defined]


def test_values_are_json_and_numbers_are_numbers() -> None:
    caches["default"].set("words", {"a": ["\u00e9", 1]}, timeout=60)
    caches["default"].set("number", 5, timeout=60)
    assert caches["default"].get("words") == {"a": ["\u00e9", 1]}
    assert caches["default"].incr("number", -7) == -2
    assert sorted(raw().get(key) for key in raw().keys("*")) == [b"-2", b'{"a": ["\\u00e9", 1]}']
    assert all(key.startswith(b"corral:") for key in raw().keys("*"))
    assert all(0 < raw().ttl(key) <= 60 for key in raw().keys("*"))


def test_what_somebody_else_wrote_runs_nothing() -> None:
    caches["default"].set("words", "x")
    (key,) = raw().keys("*")
    raw().set(key, b"\x80\x04cos\nsystem\n.")
    with pytest.raises(ValueError, match="."):
        caches["default"].get("words")


def test_threads_share_their_connections() -> None:
    """Every request may have a thread of its own: none may need a connection of its own."""
    together = Barrier(4)

    def ask(number: int) -> None:
        together.wait(timeout=10)
        caches["default"].set(f"key-{number}", number)

    before = raw().info("stats")["total_connections_received"]
    for _ in range(5):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(4)))
    assert raw().info("stats")["total_connections_received"] - before <= 4


def test_a_server_that_hangs_is_given_up_in_time(server: RedisServer) -> None:
    from redis.exceptions import RedisError

    caches["default"].set("key", 1)
    server.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(RedisError):
            caches["default"].get("key")
        assert time.monotonic() - began < 3 * TIMEOUT_S
    finally:
        server.thaw()
    assert caches["default"].get("key") == 1
