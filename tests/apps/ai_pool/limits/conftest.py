"""The two places where limits are counted: this process, and a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import override_settings

from apps.ai_pool.limits import allowance, claim, store
from backend.cache import cache
from tests.redis_server import RedisServer, redis_server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this directory counts, so all of it runs with the whole suite's Redis too."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stores)


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A server for all tests of this directory."""
    with redis_server() as running:
        yield running


@pytest.fixture(params=["process", "redis"])
def counted(request: pytest.FixtureRequest, default_settings: Any) -> Iterator[str]:
    """Whatever the test counts is counted in this process, and once more in a Redis."""
    url = "" if request.param == "process" else request.getfixturevalue("redis").url
    with override_settings(CACHES={"default": cache(url)}):
        caches["default"].clear()
        yield url


@pytest.fixture
def fresh_store(monkeypatch: pytest.MonkeyPatch) -> store.Store:
    """A store that has not failed yet."""
    made = store.Store()
    for module in (allowance, claim, store):
        monkeypatch.setattr(module, "STORE", made)
    return made
