"""The directory with the backups: which there are, the newest, and no more than are to be kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from apps.ai_pool.backup.errors import BackupError

NUM_KEPT = 7
DRAFT_AGE_S = 24 * 3600.0
"""An unfinished backup as old as this was left behind by a process that died."""
_NAME = re.compile(r"corral-(\d{8}-\d{6}-\d{6})\.tar\.gz")
_TIME = "%Y%m%d-%H%M%S-%f"


class Shelf:
    """The backups of one directory. Other files in it are left alone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def backups(self) -> list[Path]:
        """Every backup, the newest first."""
        try:
            names = sorted(os.listdir(self.directory), reverse=True)
        except OSError:
            return []
        return [self.directory / name for name in names if made_at(name) is not None]

    @property
    def newest_at(self) -> datetime | None:
        """When the newest backup was made (UTC)."""
        return made_at(self.backups[0].name) if self.backups else None

    def next_path(self) -> Path:
        """The name for a backup that is made now."""
        return self.directory / f"corral-{datetime.now(UTC).strftime(_TIME)}.tar.gz"

    def prune(self, num_kept: int) -> list[Path]:
        """Remove all but the newest backups, and what dead processes left; returns the former."""
        removed = self.backups[num_kept:]
        for path in removed:
            path.unlink(missing_ok=True)
        for draft in self.directory.glob(".backup-*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - draft.stat().st_mtime > DRAFT_AGE_S:
                    draft.unlink()
        return removed

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make the directory, and let one process at a time work in it. Raises BackupError."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BackupError(
                f"Nothing can be written to {self.directory} ({error.strerror}); choose another "
                "directory with --to or CORRAL_BACKUP_DIR."
            ) from None
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(
                    f"Another backup is being made in {self.directory}; wait for it."
                ) from None
            yield
        finally:
            os.close(lock)


def own_shelf() -> Shelf:
    """The shelf of this site: CORRAL_BACKUP_DIR, else ``backups`` in the var directory."""
    chosen = str(settings.CORRAL_BACKUP_DIR).strip()
    directory = Path(chosen).expanduser() if chosen else Path(settings.CORRAL_VAR_DIR) / "backups"
    return Shelf(settings.BASE_DIR / directory)


def made_at(name: str) -> datetime | None:
    """When the backup of this name was made (UTC), or None for the name of something else."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
