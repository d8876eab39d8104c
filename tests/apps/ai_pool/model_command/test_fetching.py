"""``model fetch`` against a hub on this machine, as the operator meets it: whole or not at all, and
one sentence about what to do."""

from __future__ import annotations

import fcntl
import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import huggingface_hub.constants
import huggingface_hub.file_download
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ai_model import catalog, download
from ai_model.catalog import CatalogEntry
from ai_model.store import ModelStore
from apps.ai_pool import model_rows
from apps.ai_pool.model_command import fetching
from tests.ai_model.hub_stand_in import HubStandIn, hub_stand_in
from tests.ai_model.tiny_model import build_tiny_model


@pytest.fixture
def hub(
    store: ModelStore, entry: CatalogEntry, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HubStandIn]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.3)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(huggingface_hub.file_download.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(download, "METADATA_TIMEOUT_S", 2.0)
    with hub_stand_in({entry.filename: tiny_model.read_bytes()}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def fetch(*arguments: str) -> str:
    out = io.StringIO()
    call_command("model", "fetch", "Q8_0", "--yes", *arguments, stdout=out)
    return out.getvalue()


def failing(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        fetch(*arguments)
    assert caught.value.returncode == 1 and "\n" not in str(caught.value)
    return str(caught.value)


def left_behind(store: ModelStore) -> set[str]:
    """What is in the directory of models besides what belongs there."""
    return {path.name for path in store.weights_dir.iterdir()} - {
        *(".fetch.lock", "checksums.json", "demo.gguf"),
    }


def test_a_good_download_is_used_from_the_next_start(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry
) -> None:
    text = fetch()
    assert "whole and checked" in text and "Restart the server" in text
    assert store.choose().path.name == entry.filename
    assert "is here already, and whole" in fetch()
    assert hub.num_gets == 1
    assert "whole and checked" in fetch("--force") and hub.num_gets == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("cut", "was cut short|stopped answering"),
        ("stall", "stopped answering"),
        ("short", "bytes where .* are right"),
        ("html", "not the Hugging Face hub"),
        ("missing", r"no longer has this file \(404\)"),
        ("broken", r"refused the download \(500\)"),
    ],
)
def test_a_hub_that_misbehaves(
    hub: HubStandIn,
    store: ModelStore,
    entry: CatalogEntry,
    fault: str,
    words: str,
) -> None:
    hub.fault = fault
    sentence = failing()
    assert re.search(words, sentence), sentence
    assert entry.url in sentence and "ai_model/weights/" in sentence
    assert left_behind(store) == set()


def test_what_was_there_survives_a_failed_download(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry
) -> None:
    fetch()
    before = (store.weights_dir / entry.filename).read_bytes()
    hub.fault = "html"
    failing("--force")
    assert (store.weights_dir / entry.filename).read_bytes() == before


def test_without_a_network(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    sentence = failing()
    assert "cannot be reached" in sentence and entry.url in sentence
    assert "another machine" in sentence and "model verify" in sentence


def test_too_little_room_is_said_before_anything_is_asked(
    hub: HubStandIn, entry: CatalogEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "HEADROOM_BYTES", 1 << 60)
    assert "make room" in failing() and hub.num_gets == 0


def test_one_download_at_a_time(hub: HubStandIn, store: ModelStore) -> None:
    handle = os.open(store.weights_dir / ".fetch.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert "Another download is running" in failing()
    finally:
        os.close(handle)


def test_an_unknown_checksum_is_recorded_and_binding_and_that_is_said(
    hub: HubStandIn,
    store: ModelStore,
    entry: CatalogEntry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unknown = tuple(replace(item, sha256=None) for item in catalog.CATALOG)
    for module in (catalog, model_rows):
        monkeypatch.setattr(module, "CATALOG", unknown)
    assert fetching.UNPINNED in fetch()
    assert store.checksums.pinned(entry.filename) == entry.sha256
    hub.files[entry.filename] = build_tiny_model(tmp_path / "other.gguf", seed=1).read_bytes()
    assert "its SHA-256 is wrong" in failing("--force")
    hub.files[entry.filename] = (store.weights_dir / entry.filename).read_bytes()
    assert "SHA-256  pinned" in fetch("--force")
    with pytest.raises(SystemExit):
        call_command("model", "fetch", "--help")
    assert "the first verified download is recorded" in " ".join(capsys.readouterr().out.split())


def test_a_bar_on_a_terminal_and_none_in_a_pipe(hub: HubStandIn, entry: CatalogEntry) -> None:
    assert "━" not in fetch()
    out = io.StringIO()
    call_command("model", "fetch", "Q8_0", "--yes", "--force", stdout=out, force_color=True)
    assert "━" in out.getvalue() and entry.filename in out.getvalue()
