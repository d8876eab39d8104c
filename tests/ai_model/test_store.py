"""Which model file is chosen, and that the reason says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_model.catalog import UnknownModel, find_entry
from ai_model.model_file import BadModelFile
from ai_model.store import DEMO_PATH, PROJECT_ROOT, SEARCH_DIRS, ModelStore, choose_model


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    directories = tuple(tmp_path / name for name in ("weights", "ai_model", "backend"))
    for directory in directories:
        directory.mkdir()
    (tmp_path / "demo.gguf").write_bytes(b"demo")
    return ModelStore(
        search_dirs=directories,
        demo_path=tmp_path / "demo.gguf",
        selection_path=tmp_path / "var" / "model.json",
    )


def put(store: ModelStore, quant: str, directory: int = 0) -> Path:
    path = store.search_dirs[directory] / find_entry(quant).filename
    path.write_bytes(b"x")
    return path


def test_the_places_of_the_project_itself() -> None:
    assert [str(path.relative_to(PROJECT_ROOT)) for path in SEARCH_DIRS] == [
        "ai_model/weights",
        "ai_model",
        "backend/ai_model",
    ]
    assert DEMO_PATH.name == "demo.gguf"


def test_nothing_found_means_the_demo(store: ModelStore) -> None:
    chosen = store.choose()
    assert chosen.path == store.demo_path
    assert chosen.is_demo
    assert chosen.reason == "no TinyLlama file was found"


@pytest.mark.parametrize("directory", [0, 1, 2])
def test_a_real_model_is_found_in_each_place(store: ModelStore, directory: int) -> None:
    path = put(store, "Q8_0", directory)
    chosen = store.choose()
    assert (chosen.path, chosen.is_demo) == (path, False)
    assert str(path.parent) in chosen.reason


def test_the_order_of_quantisations(store: ModelStore) -> None:
    put(store, "Q4_K_M")
    assert store.choose().path.name.endswith("Q4_K_M.gguf")
    put(store, "Q8_0", 2)
    assert store.choose().path.name.endswith("Q8_0.gguf")
    put(store, "Q5_K_M", 1)
    chosen = store.choose()
    assert chosen.path.name.endswith("Q5_K_M.gguf")
    assert "Q5_K_M goes before Q4_K_M and Q8_0" in chosen.reason


def test_the_same_file_in_two_places_is_taken_from_the_first(store: ModelStore) -> None:
    put(store, "Q5_K_M", 2)
    first = put(store, "Q5_K_M", 0)
    assert store.choose().path == first


def test_corral_quant_overrides_the_order(store: ModelStore) -> None:
    put(store, "Q5_K_M")
    path = put(store, "Q4_K_M")
    chosen = store.choose(quant="q4_k_m")
    assert chosen.path == path
    assert "CORRAL_QUANT asks for Q4_K_M" in chosen.reason


def test_a_quantisation_that_is_not_here_is_said(store: ModelStore) -> None:
    chosen = store.choose(quant="Q8_0")
    assert chosen.is_demo
    assert "CORRAL_QUANT asks for Q8_0, which is not here" in chosen.reason
    path = put(store, "Q5_K_M")
    assert store.choose(quant="Q8_0").path == path


def test_a_quantisation_that_does_not_exist_is_an_error(store: ModelStore) -> None:
    with pytest.raises(UnknownModel, match="Q5_K_M"):
        store.choose(quant="Q3")


def test_the_path_setting_wins_over_everything(store: ModelStore, tmp_path: Path) -> None:
    put(store, "Q5_K_M")
    store.select(put(store, "Q8_0"))
    chosen = store.choose(model_path=str(tmp_path / "mine.gguf"), quant="Q8_0")
    assert chosen.path == tmp_path / "mine.gguf"
    assert "CORRAL_MODEL_PATH" in chosen.reason


def test_a_relative_path_counts_from_the_project(store: ModelStore) -> None:
    assert store.choose(model_path="models/x.gguf").path == PROJECT_ROOT / "models" / "x.gguf"


def test_naming_the_demo_is_the_demo(store: ModelStore) -> None:
    assert store.choose(model_path=str(store.demo_path)).is_demo


def test_model_use_wins_over_the_order_and_can_be_taken_back(store: ModelStore) -> None:
    put(store, "Q5_K_M")
    other = put(store, "Q4_K_M")
    store.select(other)
    assert store.choose().path == other
    assert "model use" in store.choose().reason
    assert store.choose(quant="Q5_K_M").path.name.endswith("Q5_K_M.gguf")
    store.clear_selection()
    assert store.choose().path.name.endswith("Q5_K_M.gguf")
    store.clear_selection()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": 3}', '{"path": "relative.gguf"}'])
def test_a_broken_record_of_model_use_counts_as_none(store: ModelStore, text: str) -> None:
    assert store.selection_path is not None
    store.selection_path.parent.mkdir()
    store.selection_path.write_text(text)
    assert store.selection() is None
    assert store.choose().is_demo


def test_no_model_at_all_is_a_sentence(store: ModelStore) -> None:
    store.demo_path.unlink()
    with pytest.raises(BadModelFile, match="There is no model: .*missing as well.*model fetch"):
        store.choose()


def test_names_are_resolved(store: ModelStore, tmp_path: Path) -> None:
    assert store.resolve("demo") == store.demo_path
    path = put(store, "Q8_0")
    assert store.resolve("q8_0") == path
    assert store.resolve(str(tmp_path / "mine.gguf")) == tmp_path / "mine.gguf"
    with pytest.raises(BadModelFile, match="model fetch tinyllama-q5_k_m"):
        store.resolve("Q5_K_M")
    with pytest.raises(UnknownModel):
        store.resolve("nonsense")


def test_without_a_place_for_choices_selecting_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        ModelStore(search_dirs=(tmp_path,)).select(tmp_path / "m.gguf")


def test_the_function_form_does_the_same(store: ModelStore) -> None:
    path = put(store, "Q5_K_M")
    chosen = choose_model("", "", store.search_dirs, demo_path=store.demo_path)
    assert chosen.path == path
