"""The model file and its checksum."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from pytest_django import Settings

from ai_model import checksums
from ai_model.store import ModelStore
from apps.ai_pool import conf
from apps.ai_pool.doctor.finding import Level
from apps.ai_pool.doctor.model import check_model
from tests.apps.ai_pool.doctor.findings import is_well, only


@pytest.fixture
def store(tiny_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """A store whose book of checksums is this test's own."""
    store = dataclasses.replace(conf.model_store(), search_dirs=(tmp_path / "weights",))
    monkeypatch.setattr(conf, "model_store", lambda: store)
    return store


def test_sound_model(store: ModelStore) -> None:
    findings = check_model()
    assert is_well(findings) and "no checksum is known" in findings[0].sentence


def test_another_checksum(store: ModelStore, tiny_settings: Settings) -> None:
    store.checksums.pin(Path(tiny_settings.CORRAL_MODEL_PATH).name, "0" * 64)
    finding = only(check_model(), "model-damaged", Level.ERROR)
    assert "SHA-256" in finding.sentence and "model fetch --force" in finding.fix


def test_checksum_is_computed_once(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_well(check_model())

    def fail(*values: object) -> str:
        raise AssertionError("the file was read again")

    monkeypatch.setattr(checksums, "file_sha256", fail)
    assert is_well(check_model())


def test_no_model(settings: Settings) -> None:
    settings.CORRAL_MODEL_PATH = "/nowhere/model.gguf"
    finding = only(check_model(), "model-unusable", Level.ERROR)
    assert "manage.py model fetch" in finding.fix and "CORRAL_MODEL_PATH" in finding.fix


def test_unknown_quantisation(settings: Settings) -> None:
    settings.CORRAL_QUANT = "Q99"
    finding = only(check_model(), "model-unknown", Level.ERROR)
    assert "CORRAL_QUANT" in finding.fix


def test_settings_that_cannot_work(store: ModelStore, tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_HOT_INSTANCES = 60
    finding = only(check_model(), "settings-impossible", Level.ERROR)
    assert "CORRAL_HOT_INSTANCES is 60" in finding.sentence and "docs/settings.md" in finding.fix


def test_demo_model_is_told(settings: Settings) -> None:
    from tests.live import DEMO_MODEL

    if not DEMO_MODEL.is_file():
        pytest.skip("the demo model is not there; `make demo-model` trains it")
    settings.CORRAL_MODEL_PATH = str(DEMO_MODEL)
    assert "make model" in only(check_model(), "model-is-demo", Level.NOTE).fix
