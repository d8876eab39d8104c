"""A key's requests over REST: counted, refused with a time, and let in while nobody can count."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from apps.ai_pool.limits.refusals import KEY_REQUESTS, REFUSALS, STORE_AWAY
from apps.ai_pool.limits.store import STORE, StoreAway
from apps.api.key_throttle import KeyThrottle
from apps.api.models import ApiKey

pytestmark = pytest.mark.usefixtures("long_minute")


def request_of(key: Any) -> Any:
    return SimpleNamespace(auth=key)


def test_a_key_over_its_limit_is_refused_with_a_time_and_counted() -> None:
    request = request_of(ApiKey(pk=7, requests_per_minute=2))
    before = REFUSALS.counts()[KEY_REQUESTS]
    assert [KeyThrottle().allow_request(request, None) for _ in range(2)] == [True, True]
    throttle = KeyThrottle()
    assert not throttle.allow_request(request, None)
    wait_s = throttle.wait()
    assert wait_s is not None and 0 < wait_s <= 60
    assert REFUSALS.counts()[KEY_REQUESTS] == before + 1


def test_who_has_no_key_is_not_counted() -> None:
    assert all(KeyThrottle().allow_request(request_of(None), None) for _ in range(100))


def test_reading_goes_on_while_the_shared_cache_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(ask: Any) -> None:
        raise StoreAway(5.0)

    monkeypatch.setattr(STORE, "run", away)
    before = REFUSALS.counts()[STORE_AWAY]
    assert KeyThrottle().allow_request(request_of(ApiKey(pk=8, requests_per_minute=1)), None)
    assert REFUSALS.counts()[STORE_AWAY] == before + 1
