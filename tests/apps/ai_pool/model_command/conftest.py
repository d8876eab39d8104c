"""An installation with small models, for the tests of `manage.py model`."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from ai_model import catalog
from ai_model.catalog import CatalogEntry, find_entry
from ai_model.store import SELECTION_NAME, ModelStore
from apps.ai_pool import conf, model_rows
from apps.ai_pool.model_command import verifying


@pytest.fixture
def store(
    tiny_settings: Settings, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> ModelStore:
    """An installation with the demo only, in a new directory."""
    tiny_settings.CORRAL_MODEL_PATH = ""
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "demo.gguf").write_bytes(tiny_model.read_bytes())
    store = ModelStore(
        search_dirs=(weights,),
        demo_path=weights / "demo.gguf",
        selection_path=tmp_path / SELECTION_NAME,
    )
    monkeypatch.setattr(conf, "model_store", lambda: store)
    return store


@pytest.fixture
def entry(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogEntry:
    """The catalog's Q8_0, but as small as the tiny model."""
    data = tiny_model.read_bytes()
    small = replace(
        find_entry("Q8_0"), size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    )
    entries = tuple(small if item.quant == "Q8_0" else item for item in catalog.CATALOG)
    monkeypatch.setattr(catalog, "CATALOG", entries)
    for module in (model_rows, verifying):
        monkeypatch.setattr(module, "CATALOG", entries)
    return small
