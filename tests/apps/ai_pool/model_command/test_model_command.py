"""``manage.py model``: sub-commands, JSON, exit codes, and no traceback."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from ai_model.catalog import CatalogEntry
from ai_model.download import DownloadError
from ai_model.store import ModelStore
from apps.ai_pool.model_command import fetching


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("model", *arguments, stdout=out)
    return out.getvalue()


def failing(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
    return caught.value


def test_list_shows_the_catalog_and_what_is_used(store: ModelStore) -> None:
    text = run("list")
    for name in ("tinyllama-q4_k_m", "tinyllama-q5_k_m", "tinyllama-q8_0", "demo"):
        assert name in text
    assert "because no TinyLlama file was found" in " ".join(text.split())
    rows = {row["name"]: row for row in json.loads(run("list", "--json"))}
    assert [name for name, row in rows.items() if row["is_used"]] == ["demo"]
    assert rows["tinyllama-q8_0"]["size_bytes"] == 1_170_781_568
    assert rows["tinyllama-q8_0"]["license"] == "Apache-2.0"


def test_list_names_a_model_of_your_own(store: ModelStore, tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_MODEL_PATH = "/nowhere/mine.gguf"
    rows = json.loads(run("list", "--json"))
    assert rows[-1]["name"] == "mine.gguf"
    assert rows[-1]["note"] == "there is no such file"


def test_use_is_recorded_and_can_be_taken_back(
    store: ModelStore, tiny_model: Path, tiny_settings: Settings
) -> None:
    assert str(tiny_model) in run("use", str(tiny_model)).replace("\n", "")
    assert store.choose().path == tiny_model
    tiny_settings.CORRAL_MODEL_PATH = str(store.demo_path)
    assert "settings say otherwise" in " ".join(run("use", str(tiny_model)).split())
    tiny_settings.CORRAL_MODEL_PATH = ""
    run("use", "auto")
    assert store.choose().is_demo


def test_a_bad_file_is_not_used(store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"<html>")
    assert "web page" in str(failing("use", str(tmp_path / "bad.gguf")))
    assert store.selection() is None
    assert "not here yet" in str(failing("use", "Q5_K_M"))


def test_unknown_names_are_wrong_usage(store: ModelStore) -> None:
    for action in ("use", "fetch", "inspect", "verify"):
        error = failing(action, "nonsense")
        assert error.returncode == 2
        assert "tinyllama-q5_k_m" in str(error)


def test_verify_reads_what_is_here(store: ModelStore) -> None:
    assert "good" in run("verify")
    (result,) = json.loads(run("verify", "--json"))
    assert result["is_good"]
    assert result["sha256"] == hashlib.sha256(store.demo_path.read_bytes()).hexdigest()


def test_verify_finds_a_changed_byte(store: ModelStore, entry: CatalogEntry) -> None:
    path = store.weights_dir / entry.filename
    data = bytearray(store.demo_path.read_bytes())
    path.write_bytes(data)
    assert "as it should" in " ".join(run("verify", "Q8_0").split())
    data[-1] ^= 1
    path.write_bytes(data)
    out = io.StringIO()
    with pytest.raises(CommandError, match="Not every model file"):
        call_command("model", "verify", stdout=out)
    assert "damaged" in out.getvalue()


def test_inspect_shows_the_facts(store: ModelStore, tiny_model: Path) -> None:
    assert "zephyr" in run("inspect", str(tiny_model))
    facts = json.loads(run("inspect", "--json"))
    assert (facts["architecture"], facts["trained_context"]) == ("llama", 512)


def test_fetch_shows_size_licence_and_room_and_asks_first(
    store: ModelStore, entry: CatalogEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[Any] = []
    monkeypatch.setattr(fetching, "fetch", lambda *args: fetched.append(args))
    out = io.StringIO()
    with pytest.raises(CommandError, match="--yes") as caught:
        call_command("model", "fetch", "Q8_0", stdout=out)
    assert caught.value.returncode == 2
    assert fetched == []
    for part in ("Apache-2.0", "MB free", "TheBloke/TinyLlama", "pinned"):
        assert part in out.getvalue()
    monkeypatch.setattr(fetching.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    assert "Nothing was downloaded" in str(failing("fetch", "Q8_0"))
    assert fetched == []


def test_fetch_downloads_and_says_what_comes_next(
    store: ModelStore, entry: CatalogEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(item: CatalogEntry, store: ModelStore, on_progress: Any) -> Path:
        path = store.weights_dir / item.filename
        path.write_bytes(store.demo_path.read_bytes())
        on_progress(item.size_bytes, item.size_bytes)
        return path

    monkeypatch.setattr(fetching, "fetch", fake)
    assert "Restart the server to use it." in run("fetch", "q8_0", "--yes")
    assert "is here already, and whole" in " ".join(run("fetch", "q8_0", "--yes").split())


def test_a_failed_download_is_one_sentence(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise DownloadError("The hub cannot be reached.")

    monkeypatch.setattr(fetching, "fetch", fail)
    error = failing("fetch", "--yes")
    assert (str(error), error.returncode) == ("The hub cannot be reached.", 1)


def test_without_any_model_the_sentence_says_so(store: ModelStore) -> None:
    store.demo_path.unlink()
    assert "There is no model" in str(failing("list"))
    assert "There is no model" in str(failing("inspect"))
