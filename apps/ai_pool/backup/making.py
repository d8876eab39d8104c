"""Makes a backup while the server runs."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import django
from django.conf import settings

from apps.ai_pool.backup.archive import MODE, entry_of, write_archive
from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.manifest import KEY_NAME, Manifest, corral_version, now_text
from apps.ai_pool.backup.place import Place
from apps.ai_pool.backup.shelf import Shelf

SPARE_BYTES = 64_000_000
"""What must stay free on the disk besides the copy and the archive."""


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup that was just written."""

    path: Path
    manifest: Manifest
    removed: tuple[Path, ...]
    """Older ones that made room for it."""


def make_backup(
    place: Place, shelf: Shelf, *, num_kept: int, on_step: Callable[[str], None] = lambda _: None
) -> MadeBackup:
    """Write a backup of ``place`` to ``shelf`` and remove the oldest beyond ``num_kept``.

    ``on_step`` hears what is being done. Nothing is removed unless the new one is complete. Raises
    BackupError.
    """
    with shelf.locked():
        _check_room(place, shelf.directory)
        try:
            with tempfile.TemporaryDirectory(prefix=".backup-", dir=shelf.directory) as name:
                draft = Path(name)
                on_step("copying the database")
                manifest = _collect(place, draft)
                on_step("packing")
                path = shelf.next_path()
                write_archive(path, manifest, draft)
            removed = shelf.prune(num_kept)
        except OSError as error:
            raise BackupError(f"The backup could not be written ({error.strerror}).") from None
    return MadeBackup(path, manifest, tuple(removed))


def _check_room(place: Place, directory: Path) -> None:
    needed = 2 * place.database.num_bytes + SPARE_BYTES
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise BackupError(
            f"{directory} has {free / 1e6:,.0f} MB free and the backup may need "
            f"{needed / 1e6:,.0f} MB; make room or choose another directory with --to."
        )


def _collect(place: Place, draft: Path) -> Manifest:
    """Put everything into ``draft`` and describe it."""
    database = place.database
    dump = draft / database.file_name
    database.dump(dump)
    entries = [entry_of(dump)]
    for name, path in place.files.items():
        # The key in use, wherever it came from: with it, visitors stay who they are.
        data = settings.SECRET_KEY.encode() + b"\n" if name == KEY_NAME else _content(path)
        if data is not None:
            copy = draft / name
            copy.touch(MODE)
            copy.write_bytes(data)
            entries.append(entry_of(copy))
    return Manifest(
        made_at=now_text(),
        versions={
            "corral": corral_version(),
            "python": platform.python_version(),
            "django": django.get_version(),
            "database": database.version,
        },
        migrations=database.migrations(dump),
        entries=tuple(entries),
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
