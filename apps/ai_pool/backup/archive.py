"""The one file a backup is: written whole or not at all, and unpacked without trusting it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tarfile
import tempfile
import time
import zlib
from pathlib import Path
from typing import IO

from ai_model.checksums import CHUNK_BYTES, file_sha256
from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.manifest import MANIFEST_NAME, MAX_BYTES, Entry, Manifest

MODE = 0o600
"""It holds the secret key and what visitors wrote."""
MAX_TAIL_BYTES = 1 << 16
_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, OSError, UnicodeError, ValueError)


def entry_of(path: Path) -> Entry:
    """Describe a file that is to be packed. Raises OSError."""
    return Entry(path.name, path.stat().st_size, file_sha256(path))


def write_archive(target: Path, manifest: Manifest, directory: Path) -> None:
    """Pack the files of ``manifest``, which lie in ``directory``, as ``target``.

    ``target`` appears complete and on the disk, or not at all. Raises OSError.
    """
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".backup-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), MODE)
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
                text = json.dumps(manifest.to_json(), indent=1, sort_keys=True).encode()
                archive.addfile(_header(MANIFEST_NAME, len(text)), io.BytesIO(text))
                for entry in manifest.entries:
                    with (directory / entry.name).open("rb") as source:
                        archive.addfile(_header(entry.name, entry.size), source)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
    sync_directory(target.parent)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of a backup without unpacking it. Raises BackupError."""
    with _opened(path) as archive:
        return _manifest(archive, path)


def unpack(path: Path, directory: Path) -> Manifest:
    """Unpack a backup into an empty ``directory``, every file compared with the manifest.

    Only the files the manifest names are written, under their own plain names. Raises BackupError
    when anything is missing, too much, damaged or no plain file.
    """
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        missing = {entry.name: entry for entry in manifest.entries}
        with _reading(path):
            while (member := archive.next()) is not None:
                entry = missing.pop(member.name, None)
                if entry is None or not member.isreg() or member.size != entry.size:
                    raise BackupError(
                        f"{path} holds something its manifest does not name "
                        f"({member.name[:80]!r}); it is no backup of Corral, or was changed."
                    )
                source = archive.extractfile(member)
                assert source is not None
                _copy(source, directory / entry.name, entry, path)
            _check_tail(archive, path)
        if missing:
            raise BackupError(f"{path} is not complete: {', '.join(sorted(missing))} is missing.")
        return manifest


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, MODE, int(time.time())
    return header


@contextlib.contextmanager
def _reading(path: Path):  # type: ignore[no-untyped-def]
    """Turn whatever a damaged file makes the readers say into one sentence."""
    try:
        yield
    except _UNREADABLE as error:
        raise BackupError(
            f"{path} is damaged or no backup ({type(error).__name__}); use another one."
        ) from None


@contextlib.contextmanager
def _opened(path: Path):  # type: ignore[no-untyped-def]
    if not path.is_file():
        raise BackupError(f"There is no backup {path}.")
    with _reading(path):
        archive = tarfile.open(path, mode="r:gz")  # noqa: SIM115 (closed below)
    with contextlib.closing(archive):
        yield archive


def _manifest(archive: tarfile.TarFile, path: Path) -> Manifest:
    with _reading(path):
        first = archive.next()
        if first is None or first.name != MANIFEST_NAME or not first.isreg():
            raise BackupError(f"{path} does not begin with a manifest; it is no backup of Corral.")
        if first.size > MAX_BYTES:
            raise BackupError(f"{path} has a manifest of {first.size} bytes; it is no backup.")
        source = archive.extractfile(first)
        assert source is not None
        return Manifest.from_bytes(source.read(MAX_BYTES))


def _check_tail(archive: tarfile.TarFile, path: Path) -> None:
    """Read behind the last file: only there gzip notices that the end is missing."""
    assert archive.fileobj is not None
    if len(archive.fileobj.read(MAX_TAIL_BYTES)) == MAX_TAIL_BYTES:
        raise BackupError(f"{path} goes on behind its last file; it is no backup of Corral.")


def _copy(source: IO[bytes], target: Path, entry: Entry, path: Path) -> None:
    digest, num_bytes = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := source.read(CHUNK_BYTES):
            num_bytes += len(chunk)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if num_bytes != entry.size or digest.hexdigest() != entry.sha256:
        raise BackupError(f"{entry.name} in {path} is damaged (its SHA-256 is another one).")
