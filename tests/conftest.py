"""What all tests share: a header that says what is tested with, and settings at their defaults."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests import stores
from tests.live import DEMO_MODEL


def pytest_report_header() -> str:
    """Name the engine and the model: the first things to know about a failure."""
    try:
        version = importlib.metadata.version("llama_cpp_python")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    model = "not there"
    if DEMO_MODEL.is_file():
        model = "demo " + hashlib.sha256(DEMO_MODEL.read_bytes()).hexdigest()[:12]
    return f"llama.cpp: llama-cpp-python {version}, model: {model}, {stores.described()}"


@pytest.fixture(autouse=True)
def default_settings(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Every CORRAL_ setting at the default of its table, whatever the developer's ``.env`` says.

    Only for the Django side: tests of ``ai_model`` must run without Django.
    """
    if "ai_model" in request.path.parts:
        yield None
        return
    from django.core.cache import caches
    from django.test import override_settings

    from backend.cache import cache
    from backend.env import SETTINGS

    defaults = {
        setting.name: setting.default
        for setting in SETTINGS
        if setting.name.startswith("CORRAL_") and setting.name != "CORRAL_VAR_DIR"
    }
    # Whatever Redis a developer's settings name is left alone.
    own = {} if stores.is_redis() else {"CACHES": {"default": cache("")}}
    with override_settings(**defaults, **own):
        # Or what one test used up would be missing in the next.
        caches["default"].clear()
        yield None


@pytest.fixture
def unlimited(settings: Any) -> None:
    """Nobody is limited: for tests in which one visitor asks as many do."""
    from backend.sections import limits

    for setting in limits.SETTINGS:
        if setting.type is int:
            setattr(settings, setting.name, 0)


@pytest.fixture
def long_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits count at one moment, 20 seconds into a minute: no window ends during the test."""
    from apps.ai_pool.limits import allowance

    monkeypatch.setattr(allowance, "time", SimpleNamespace(time=lambda: 1_000_040.0))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the test database out of the project's own directory."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = tmp_path_factory.mktemp("db") / "test.sqlite3"
