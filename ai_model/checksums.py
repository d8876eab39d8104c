"""SHA-256 of model files: computed once per file as it stands, pinned once a download is good."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20
_MAX_BOOK_BYTES = 1 << 20


class ChecksumMismatch(ValueError):
    """A file is not what it should be. The text is one sentence with cause and fix."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A checksum and the state of the file it was computed from."""

    sha256: str
    inode: int
    mtime_ns: int
    size: int


class ChecksumBook:
    """Remembers checksums in a small JSON file beside the models.

    Two kinds of lines: ``files`` saves computing the checksum of an unchanged file again, ``pins``
    holds what a file of that name must hash to for good. A lost or broken book only costs time and
    the pins that no catalog knows. Methods may be called from several threads and processes: the
    file is replaced whole, the last writer wins.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def sha256(self, path: Path, progress: Callable[[int], None] | None = None) -> str:
        """Return the hex SHA-256 of ``path``; ``progress`` gets the number of bytes of each step.

        Reads the whole file unless inode, modification time and size are those of last time.
        Raises OSError.
        """
        status = os.stat(path)
        key = str(path.resolve())
        known = self._files().get(key)
        state = (status.st_ino, status.st_mtime_ns, status.st_size)
        if known is not None and (known.inode, known.mtime_ns, known.size) == state:
            if progress is not None:
                progress(status.st_size)
            return known.sha256
        digest = file_sha256(path, progress)
        after = os.stat(path)
        if (after.st_ino, after.st_mtime_ns, after.st_size) == state:
            self._write("files", key, asdict(_Known(digest, *state)))
        return digest

    def pinned(self, filename: str) -> str | None:
        """Return what a file of this name must hash to, when a download recorded it."""
        pin = self._read().get("pins", {}).get(filename)
        return pin if isinstance(pin, str) and _is_sha256(pin) else None

    def pin(self, filename: str, sha256: str) -> None:
        """Record what a file of this name must hash to from now on."""
        self._write("pins", filename, sha256)

    def verify(
        self,
        path: Path,
        expected: str | None,
        progress: Callable[[int], None] | None = None,
    ) -> str:
        """Return the checksum of ``path``, which must be ``expected`` or else the recorded pin.

        Raises ChecksumMismatch and OSError.
        """
        wanted = expected or self.pinned(path.name)
        found = self.sha256(path, progress)
        if wanted and found != wanted:
            raise ChecksumMismatch(
                f"{path} is damaged or not the file it claims to be: its SHA-256 begins with "
                f"{found[:16]} where {wanted[:16]} is right; delete it and run "
                "`python manage.py model fetch`."
            )
        return found

    def _files(self) -> dict[str, _Known]:
        files: dict[str, _Known] = {}
        for key, line in self._read().get("files", {}).items():
            if isinstance(line, dict):
                with contextlib.suppress(TypeError):
                    files[key] = _Known(**line)
        return files

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            with self._path.open("rb") as file:
                book = json.loads(file.read(_MAX_BOOK_BYTES))
        except (OSError, ValueError):
            return {}
        if not isinstance(book, dict):
            return {}
        return {kind: lines for kind, lines in book.items() if isinstance(lines, dict)}

    def _write(self, kind: str, key: str, line: object) -> None:
        book = self._read()
        # Files that are gone must not pile up.
        book["files"] = {k: v for k, v in book.get("files", {}).items() if os.path.exists(k)}
        book.setdefault(kind, {})[key] = line
        # A read-only directory is a fine place for models; then nothing is remembered.
        with contextlib.suppress(OSError):
            write_json(self._path, book)


def file_sha256(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """Return the hex SHA-256 of a file, read in steps of 1 MB. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            if progress is not None:
                progress(len(chunk))
    return digest.hexdigest()


def write_json(path: Path, value: object) -> None:
    """Replace ``path`` by ``value`` as JSON, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, sort_keys=True)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _is_sha256(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")
