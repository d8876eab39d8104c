"""Every check of a setting: a value that sets it off, the words of its fix, and the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from apps.ai_pool import limit_checks
from tests.apps.ai_pool.test_checks import ids

PRODUCTION = {"IS_PRODUCTION": True, "ALLOWED_HOSTS": ["www.example.org"], "NUM_PROXIES": 1}


def found() -> list[CheckMessage]:
    return run_checks(tags=["corral"])


def change(settings: Settings, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if name == "NUM_PROXIES":
            settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, name: value}
        elif name == "LOG_LEVEL":
            root = {**settings.LOGGING["root"], "level": value}
            settings.LOGGING = {**settings.LOGGING, "root": root}
        else:
            setattr(settings, name, value)


@pytest.mark.parametrize(
    ("values", "expected", "fix"),
    [
        ({"CORRAL_STALL_TIMEOUT_MS": 180_000}, "W031", "Lower CORRAL_STALL_TIMEOUT_MS"),
        ({"CORRAL_FIRST_TOKEN_TIMEOUT_MS": 200_000}, "W031", "Lower CORRAL_FIRST_TOKEN_TIMEOUT_MS"),
        ({"CORRAL_MAX_RUNNING_PER_VISITOR": 3}, "W032", "Raise CORRAL_MAX_INFLIGHT "),
        ({"CORRAL_MAX_INFLIGHT_PER_ADDRESS": 1}, "W032", "CORRAL_MAX_INFLIGHT_PER_ADDRESS"),
        ({"CORRAL_MAX_TOK_S": 1.0}, "W033", "Set it to 2.5"),
        ({"CORRAL_MAX_WAITING_TOKENS": 100}, "W034", "Set it to 512"),
        ({"CORRAL_SYSTEM_PROMPT": "word " * 200}, "W035", "Shorten it"),
        ({"CORRAL_THREADS": 3}, "W036", "CORRAL_THREADS=2"),
        ({"CORRAL_AUTOSTART": False}, "W040", "CORRAL_AUTOSTART=true"),
        ({"CORRAL_QUANT": "Q8_0"}, "W042", "Keep the one"),
        ({"ALLOWED_HOSTS": ["https://www.example.org"]}, "E050", "without scheme"),
        ({"ALLOWED_HOSTS": ["www.example.org:8000"]}, "E050", "without scheme"),
        ({"CSRF_TRUSTED_ORIGINS": ["https://www.example.org/chat"]}, "E052", "without a path"),
        ({"CORRAL_LOAD_TEST_KEY": "short"}, "W056", "at least 16"),
        ({"CORRAL_SITE_NAME": "x" * 81}, "W057", "short name"),
        ({"CORRAL_ASSISTANT_NAME": "a\nb"}, "W057", "one line"),
        ({"CORRAL_BACKUP_DIR": "/proc/nowhere"}, "E061", "another directory"),
        ({"CORRAL_BACKUP_DIR": f"{__file__}/backups"}, "E061", "another directory"),
    ],
)
def test_one_wrong_setting(
    tiny_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, Any],
    expected: str,
    fix: str,
) -> None:
    monkeypatch.setattr(limit_checks, "num_usable_cpus", lambda: 2)
    change(tiny_settings, {"CORRAL_AUTOSTART": True})
    assert ids() == []
    change(tiny_settings, values)
    (message,) = found()
    assert message.id == f"corral.{expected}"
    assert fix in str(message.hint)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"ALLOWED_HOSTS": ["localhost", "[::1]"]}, "W051"),
        ({"DEBUG": True}, "E053"),
        ({"SECURE_SSL_REDIRECT": True, "NUM_PROXIES": 0}, "W054"),
        ({"LOG_LEVEL": "DEBUG"}, "W055"),
        ({"CORRAL_POOL_MODE": "thread"}, "W041"),
    ],
)
def test_what_only_matters_in_production(
    tiny_settings: Settings, values: dict[str, Any], expected: str
) -> None:
    change(tiny_settings, {"CORRAL_AUTOSTART": True, **values})
    assert ids() == []
    change(tiny_settings, {**PRODUCTION, **values})
    (message,) = found()
    assert message.id == f"corral.{expected}" and message.hint


def test_data_where_everybody_can_fetch_it(tiny_settings: Settings, tmp_path: Path) -> None:
    change(tiny_settings, {"CORRAL_AUTOSTART": True, "STATIC_ROOT": tmp_path / "static"})
    tiny_settings.CORRAL_BACKUP_DIR = str(tmp_path / "static" / "backups")
    assert ids() == ["corral.E060"]
    tiny_settings.CORRAL_BACKUP_DIR = str(tmp_path / "statics")
    assert ids() == []


def test_a_quantisation_that_is_not_here(tiny_settings: Settings) -> None:
    change(tiny_settings, {"CORRAL_AUTOSTART": True, "CORRAL_MODEL_PATH": ""})
    tiny_settings.CORRAL_QUANT = "q4_k_m"
    (message,) = [one for one in found() if one.id == "corral.W042"]
    assert "model fetch Q4_K_M" in str(message.hint)
