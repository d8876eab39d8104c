"""Fetches a model of the catalog from the Hugging Face hub: whole and checked, or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_model.catalog import CatalogEntry
from ai_model.checksums import ChecksumMismatch
from ai_model.model_file import BadModelFile, inspect
from ai_model.store import ModelStore

HEADROOM_BYTES = 64 << 20
"""Disk space that a download leaves free."""
METADATA_TIMEOUT_S = 10.0
_TEMPORARY_PREFIX = ".fetch-"

OnProgress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


class DownloadError(Exception):
    """The model was not fetched. The text is one sentence with cause and fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadPlan:
    """What a fetch is going to do, to be shown before it starts."""

    entry: CatalogEntry
    target: Path
    needed_bytes: int
    free_bytes: int
    is_present: bool


def plan_download(entry: CatalogEntry, store: ModelStore) -> DownloadPlan:
    """Return where ``entry`` would go and whether there is room. Touches no network.

    Raises DownloadError when the directory cannot be written.
    """
    target = store.weights_dir / entry.filename
    try:
        store.weights_dir.mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(store.weights_dir).free
    except OSError as error:
        raise _unwritable(store, error) from None
    return DownloadPlan(
        entry=entry,
        target=target,
        needed_bytes=entry.size_bytes,
        free_bytes=free_bytes,
        is_present=target.is_file(),
    )


def fetch(
    entry: CatalogEntry, store: ModelStore, on_progress: OnProgress = lambda done, total: None
) -> Path:
    """Download ``entry`` into the store's weights directory and return its path.

    The file appears under its name only after its size, SHA-256 and GGUF structure are right; a
    checksum that the catalog does not know is recorded and binding for later downloads. Only one
    process downloads at a time. A stalled connection ends after about a minute. A cut download
    starts again from the beginning next time. Raises DownloadError.
    """
    plan = plan_download(entry, store)
    with _only_one(store), _temporary_directory(store) as directory:
        _check_room(plan)
        loaded = _download(entry, directory, on_progress)
        _check(entry, loaded, store)
        _put_in_place(loaded, plan.target)
    with contextlib.suppress(OSError):
        sha256 = store.checksums.sha256(plan.target)
        store.checksums.pin(entry.filename, sha256)
    return plan.target


def _unwritable(store: ModelStore, error: OSError) -> DownloadError:
    return DownloadError(
        f"{store.show(store.weights_dir)} cannot be written ({error.strerror}); make it writable "
        "for this user or set CORRAL_MODEL_PATH to a file elsewhere."
    )


@contextlib.contextmanager
def _only_one(store: ModelStore) -> Iterator[None]:
    try:
        handle = os.open(store.weights_dir / ".fetch.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _unwritable(store, error) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadError(
                "Another download is running in this directory; wait until it has finished."
            ) from None
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _temporary_directory(store: ModelStore) -> Iterator[Path]:
    """A directory beside the target, so that the last step is a rename; called under the lock."""
    try:
        for left_over in store.weights_dir.glob(f"{_TEMPORARY_PREFIX}*/"):
            shutil.rmtree(left_over, ignore_errors=True)
        directory = Path(tempfile.mkdtemp(dir=store.weights_dir, prefix=_TEMPORARY_PREFIX))
    except OSError as error:
        raise _unwritable(store, error) from None
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _check_room(plan: DownloadPlan) -> None:
    free_bytes = shutil.disk_usage(plan.target.parent).free
    if free_bytes < plan.needed_bytes + HEADROOM_BYTES:
        raise DownloadError(
            f"{plan.entry.filename} needs {plan.needed_bytes / 1e6:.0f} MB and "
            f"{plan.target.parent} has {free_bytes / 1e6:.0f} MB free; make room or take a smaller "
            "quantisation."
        )


def _by_hand(entry: CatalogEntry) -> str:
    return (
        f"Download {entry.url} on another machine and copy it to ai_model/weights/ "
        "(`python manage.py model verify` checks the copy)."
    )


def _download(entry: CatalogEntry, directory: Path, on_progress: OnProgress) -> Path:
    # Read once when the package is imported. Its second transport has no timeouts of its own.
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import huggingface_hub as hub
        from huggingface_hub import errors
    except ImportError:
        raise DownloadError(
            f"The package huggingface_hub is not installed. {_by_hand(entry)}"
        ) from None
    revision = entry.revision or "main"
    endpoint = os.environ.get("HF_ENDPOINT") or None
    try:
        # Asked separately because hf_hub_download goes on trying for minutes without a network.
        facts = hub.get_hf_file_metadata(
            hub.hf_hub_url(entry.repo, entry.filename, revision=revision, endpoint=endpoint),
            token=False,
            timeout=METADATA_TIMEOUT_S,
            endpoint=endpoint,
        )
        if facts.commit_hash is None:
            raise errors.FileMetadataError("no commit")
        if entry.sha256 and facts.size is not None and facts.size != entry.size_bytes:
            raise DownloadError(
                f"The server offers {entry.filename} with {facts.size} bytes where "
                f"{entry.size_bytes} are right, so it was not downloaded. {_by_hand(entry)}"
            )
        return Path(
            hub.hf_hub_download(
                entry.repo,
                entry.filename,
                revision=revision,
                local_dir=directory,
                token=False,
                endpoint=endpoint,
                tqdm_class=_progress_class(on_progress, facts.size or entry.size_bytes),
            )
        )
    except (errors.HfHubHTTPError, errors.FileMetadataError, errors.EntryNotFoundError) as error:
        raise DownloadError(f"{_server_fault(error)}. {_by_hand(entry)}") from None
    except DownloadError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(
                f"The disk became full while {entry.filename} was downloaded; make room for "
                f"{entry.size_bytes / 1e6:.0f} MB and fetch it again."
            ) from None
        if "Consistency check failed" in str(error):
            raise DownloadError(
                f"The download of {entry.filename} was cut short; fetch it again. {_by_hand(entry)}"
            ) from None
        raise _no_network(entry) from None
    except Exception as error:
        # The transport's own errors are not OSErrors, and which package it comes from changes.
        if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2"):
            raise _no_network(entry) from None
        raise


def _no_network(entry: CatalogEntry) -> DownloadError:
    return DownloadError(
        f"The Hugging Face hub cannot be reached from here, or stopped answering. {_by_hand(entry)}"
    )


def _server_fault(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 404:
        return "The Hugging Face hub no longer has this file (404)"
    if status is not None:
        return f"The Hugging Face hub refused the download ({status})"
    return "What answered is not the Hugging Face hub (a proxy or a login page?)"


def _progress_class(on_progress: OnProgress, total_bytes: int) -> Any:
    # Typed nowhere, so it is fetched as Any.
    base: Any = importlib.import_module("huggingface_hub.utils").tqdm

    class Bridge(base):  # type: ignore[misc]
        """Hands the progress of the hub to ``on_progress`` and draws nothing."""

        def __init__(self, *args: Any, **options: Any) -> None:
            options["disable"] = True
            super().__init__(*args, **options)
            self._done = 0

        def update(self, n: float | None = 1) -> bool | None:
            self._done += int(n or 0)
            on_progress(self._done, total_bytes)
            return None

    return Bridge


def _check(entry: CatalogEntry, path: Path, store: ModelStore) -> None:
    try:
        store.checksums.verify(path, entry.sha256 or store.checksums.pinned(entry.filename))
        inspect(path)
    except ChecksumMismatch:
        raise DownloadError(
            f"What arrived as {entry.filename} is not that file: its SHA-256 is wrong. It was "
            f"thrown away; fetch it again, and if that does not help: {_by_hand(entry)}"
        ) from None
    except BadModelFile as error:
        sentence = str(error).replace(str(path), f"What arrived as {entry.filename}")
        raise DownloadError(f"{sentence} It was thrown away.") from None


def _put_in_place(loaded: Path, target: Path) -> None:
    """Make the file durable and read-only, then give it its name in one step.

    A running server keeps the file it has mapped: the old one lives on until it is closed.
    """
    with loaded.open("rb") as file:
        os.fsync(file.fileno())
    loaded.chmod(0o444)
    os.replace(loaded, target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
