"""System checks: one id each, and models never stop the site."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.checks import ERROR, run_checks
from pytest_django import Settings

from apps.ai_pool import checks, conf


def ids() -> list[str | None]:
    return [message.id for message in run_checks(tags=["corral"])]


def test_all_is_well(tiny_settings: Settings) -> None:
    assert ids() == []


@pytest.mark.parametrize("content", [None, b"", b"<html>", b"GGUF"])
def test_a_bad_model_is_a_warning_and_no_error(
    tiny_settings: Settings, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "bad.gguf"
    if content is not None:
        path.write_bytes(content)
    tiny_settings.CORRAL_MODEL_PATH = str(path)
    (message,) = run_checks(tags=["corral"])
    assert message.id == "corral.W001"
    assert message.level < ERROR
    assert str(path) in str(message.msg)


def test_impossible_limits_are_errors(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_N_CTX = 99_999
    assert ids() == ["corral.E001"]


def test_a_quantisation_that_does_not_exist(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_MODEL_PATH = ""
    tiny_settings.CORRAL_QUANT = "Q9"
    assert ids() == ["corral.E002"]


def test_too_little_memory(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PROCESSES_BYTES", 1000)
    tiny_settings.CORRAL_PARKED_MB = 0
    config = conf.pool_plan().config
    kv_bytes = config.kv_bytes_per_token * config.n_ctx * config.max_instances
    monkeypatch.setattr(checks, "memory_limit_bytes", lambda: kv_bytes + 2000)
    assert ids() == ["corral.W002"]
    monkeypatch.setattr(checks, "memory_limit_bytes", lambda: kv_bytes + 500)
    assert ids() == ["corral.E006"]
    [problem] = checks.check_model_and_limits(None)
    assert f"{config.max_instances} instances of 512 tokens" in problem.msg


def test_a_pool_elsewhere_needs_no_model(tiny_settings: Settings, tmp_path: Path) -> None:
    tiny_settings.CORRAL_MODEL_PATH = "/nowhere.gguf"
    tiny_settings.CORRAL_POOL_URL = f"unix://{tmp_path}/p.sock"
    assert ids() == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://elsewhere", "corral.E001"),
        ("unix:///" + "d" * 120, "corral.E001"),
        ("unix:///nowhere/pool.sock", "corral.E005"),
        ("unix:///etc/passwd", "corral.E005"),
    ],
)
def test_a_pool_at_an_impossible_place(tiny_settings: Settings, url: str, expected: str) -> None:
    """Once, with what to do."""
    tiny_settings.CORRAL_POOL_URL = url
    (message,) = run_checks(tags=["corral"])
    assert message.id == expected and message.level == ERROR
    assert expected == "corral.E001" or message.hint


def test_any_host_in_production(tiny_settings: Settings) -> None:
    tiny_settings.ALLOWED_HOSTS = ["*"]
    tiny_settings.IS_PRODUCTION = True
    assert ids() == ["corral.W003"]
    tiny_settings.IS_PRODUCTION = False
    assert ids() == []


def test_layers_for_a_gpu_that_is_not_there(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_settings.CORRAL_GPU_LAYERS = 10
    monkeypatch.setattr(checks, "_has_gpu_backend", lambda: False)
    assert ids() == ["corral.E004"]
    monkeypatch.setattr(checks, "_has_gpu_backend", lambda: True)
    assert ids() == []


@pytest.mark.parametrize(
    ("installed", "expected"),
    [("4.2.1", ["corral.E003"]), ("3.0", ["corral.E003"]), ("4.2.2", []), ("4.10.0", [])],
)
def test_an_unsafe_daphne(
    tiny_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    installed: str,
    expected: list[str],
) -> None:
    monkeypatch.setattr(checks, "version", lambda name: installed)
    assert ids() == expected
