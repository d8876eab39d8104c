"""Downloads against a hub on this machine that serves well, cuts, stalls, lies and shows pages."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import huggingface_hub.constants
import huggingface_hub.file_download
import pytest

from ai_model import download
from ai_model.catalog import CatalogEntry
from ai_model.download import DownloadError, fetch, plan_download
from ai_model.store import ModelStore
from tests.ai_model.hub_stand_in import COMMIT, HubStandIn, hub_stand_in
from tests.ai_model.tiny_model import build_tiny_model

FILENAME = "tiny.Q8_0.gguf"


@pytest.fixture(scope="module")
def model_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return build_tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf").read_bytes()


@pytest.fixture
def hub(model_bytes: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.3)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(huggingface_hub.file_download.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(download, "METADATA_TIMEOUT_S", 2.0)
    with hub_stand_in({FILENAME: model_bytes}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(search_dirs=(tmp_path / "weights",), demo_path=tmp_path / "demo.gguf")


@pytest.fixture
def entry(model_bytes: bytes) -> CatalogEntry:
    return CatalogEntry(
        name="tiny",
        title="Tiny",
        quant="Q8_0",
        repo="someone/tiny-GGUF",
        filename=FILENAME,
        revision=COMMIT,
        size_bytes=len(model_bytes),
        sha256=hashlib.sha256(model_bytes).hexdigest(),
        license="Apache-2.0",
        note="",
    )


def left_behind(store: ModelStore) -> list[str]:
    known = {".fetch.lock", "checksums.json", FILENAME}
    return [path.name for path in store.weights_dir.iterdir() if path.name not in known]


def test_a_good_download_is_whole_read_only_and_alone(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry, model_bytes: bytes
) -> None:
    seen: list[tuple[int, int]] = []
    path = fetch(entry, store, lambda done, total: seen.append((done, total)))
    assert path == store.weights_dir / FILENAME
    assert path.read_bytes() == model_bytes
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert seen[-1] == (len(model_bytes), len(model_bytes))
    assert left_behind(store) == []


def test_without_a_known_checksum_the_first_one_is_binding(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry, tmp_path: Path
) -> None:
    unpinned = replace(entry, sha256=None)
    path = fetch(unpinned, store)
    assert store.checksums.pinned(FILENAME) == entry.sha256
    before = path.read_bytes()
    hub.files[FILENAME] = build_tiny_model(tmp_path / "other.gguf", seed=1).read_bytes()
    with pytest.raises(DownloadError, match="SHA-256 is wrong"):
        fetch(unpinned, store)
    assert path.read_bytes() == before


def test_a_cut_connection_is_resumed_within_one_download(
    hub: HubStandIn,
    store: ModelStore,
    entry: CatalogEntry,
    model_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The hub package drops a chunk it has not got whole.
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)
    hub.fault = "cut"

    def heal(done: int, total: int) -> None:
        if done > total * 0.4:
            hub.fault = ""

    assert fetch(entry, store, heal).read_bytes() == model_bytes
    assert hub.ranges, "the second request asks for the rest"


def test_a_connection_that_stalls_ends_with_a_sentence(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry
) -> None:
    hub.fault = "stall"
    with pytest.raises(DownloadError, match="stopped answering.*copy it to ai_model/weights/"):
        fetch(entry, store)
    assert not (store.weights_dir / FILENAME).exists()
    assert left_behind(store) == []


def test_a_file_of_the_wrong_length_is_not_even_downloaded(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry
) -> None:
    hub.fault = "short"
    with pytest.raises(DownloadError, match="bytes are right|are right, so it was not downloaded"):
        fetch(entry, store)
    assert hub.num_gets == 0


def test_a_short_file_of_unknown_checksum_is_thrown_away(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry
) -> None:
    hub.fault = "short"
    with pytest.raises(DownloadError, match="truncated download.*thrown away"):
        fetch(replace(entry, sha256=None), store)
    assert not (store.weights_dir / FILENAME).exists()


def test_a_changed_byte_is_thrown_away(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry, model_bytes: bytes
) -> None:
    hub.files[FILENAME] = model_bytes[:-1] + bytes([model_bytes[-1] ^ 1])
    with pytest.raises(DownloadError, match="SHA-256 is wrong"):
        fetch(entry, store)
    assert not (store.weights_dir / FILENAME).exists()
    assert left_behind(store) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("html", "not the Hugging Face hub"),
        ("missing", "no longer has this file"),
        ("broken", r"refused the download \(500\)"),
    ],
)
def test_a_server_that_refuses_gets_its_sentence(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry, fault: str, words: str
) -> None:
    hub.fault = fault
    with pytest.raises(DownloadError, match=words) as caught:
        fetch(entry, store)
    assert entry.url in str(caught.value)
    assert left_behind(store) == []


def test_without_a_network_the_sentence_says_what_to_do(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="cannot be reached.*another machine"):
        fetch(entry, store)


def test_only_one_download_at_a_time(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry
) -> None:
    store.weights_dir.mkdir(parents=True)
    handle = os.open(store.weights_dir / ".fetch.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="Another download is running"):
            fetch(entry, store)
        assert hub.num_gets == 0
    finally:
        os.close(handle)
    assert fetch(entry, store).is_file()


def test_a_full_disk_is_noticed_before_anything_is_asked(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry
) -> None:
    with pytest.raises(DownloadError, match="make room"):
        fetch(replace(entry, size_bytes=1 << 60), store)
    assert hub.num_gets == 0


def test_what_a_killed_download_left_is_swept_up(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry
) -> None:
    left_over = store.weights_dir / ".fetch-dead"
    left_over.mkdir(parents=True)
    (left_over / "part").write_bytes(b"x" * 1000)
    fetch(entry, store)
    assert left_behind(store) == []


def test_fetching_again_replaces_the_file_and_keeps_the_old_one_for_who_has_it_open(
    hub: HubStandIn, store: ModelStore, entry: CatalogEntry, model_bytes: bytes
) -> None:
    path = fetch(entry, store)
    with path.open("rb") as held:
        inode = os.fstat(held.fileno()).st_ino
        assert fetch(entry, store).stat().st_ino != inode
        assert held.read() == model_bytes


def test_the_plan_tells_size_and_room(store: ModelStore, entry: CatalogEntry) -> None:
    plan = plan_download(entry, store)
    assert plan.needed_bytes == entry.size_bytes
    assert plan.free_bytes > 0
    assert not plan.is_present


def test_a_weights_directory_that_cannot_be_made_gets_a_sentence(
    tmp_path: Path, entry: CatalogEntry
) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ModelStore(search_dirs=(tmp_path / "file" / "weights",))
    with pytest.raises(DownloadError, match="cannot be written"):
        plan_download(entry, store)
