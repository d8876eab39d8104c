"""Where limits are counted, and that a wrong address is a sentence without a password in it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from backend import cache as module
from backend.cache import cache
from backend.json_values import JsonValues


def test_in_this_process_unless_told_otherwise() -> None:
    found = cache("")
    assert found["BACKEND"].endswith("LocMemCache")
    assert found["OPTIONS"]["MAX_ENTRIES"] >= 10_000, "Django's 300 are soon forgotten"


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "rediss://:secret@redis.example/1",
        "unix:///run/redis/redis.sock?db=2",
    ],
)
def test_redis(url: str) -> None:
    found = cache(url)
    assert found["LOCATION"] == url
    assert found["OPTIONS"]["serializer"] == "backend.json_values.JsonValues"
    assert found["OPTIONS"]["socket_timeout"] and found["OPTIONS"]["socket_connect_timeout"]


@pytest.mark.parametrize(
    "url",
    [
        "secret",
        "http://secret.example/",
        "redis:///0",
        "redis://ann:secret@redis.example:port/0",
        "unix://",
        "unix:/run/secret.sock",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"redis://127.*corral\.E030") as caught:
        cache(url)
    assert "secret" not in str(caught.value)


def test_a_driver_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"not installed; run `pip install redis`"):
        cache("redis://:secret@redis.example/0")


@pytest.mark.parametrize("value", [0, -7, 10**12, True, None, 1.5, "x", "\u00e9", ["a", {"b": 1}]])
def test_values_come_back_as_they_were(value: Any) -> None:
    kept = JsonValues().dumps(value)
    # What Redis does with what it is given.
    back = JsonValues().loads(kept if isinstance(kept, bytes) else str(kept).encode())
    assert back == value and type(back) is type(value)


def test_whole_numbers_are_kept_as_numbers() -> None:
    """Or Redis could not count with them."""
    assert JsonValues().dumps(5) == 5


def test_nothing_is_unpickled() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("somebody's code ran",))

    with pytest.raises(ValueError, match="."):
        JsonValues().loads(pickle.dumps(Bomb()))
    with pytest.raises(TypeError):
        JsonValues().dumps(Bomb())


def test_the_cache_of_this_process_counts() -> None:
    with override_settings(CACHES={"default": cache("")}):
        caches["default"].set("tests", 1)
        assert caches["default"].incr("tests", 5) == 6
