"""A SQLite database: copied while it is written to, checked, and put in place."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.manifest import SQLITE_NAME

BUSY_S = 30.0
COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside the file; they belong to it and to no other."""


class SqliteDatabase:
    """The database file of this site, which need not exist."""

    file_name = SQLITE_NAME

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def version(self) -> str:
        """Name and version of the database."""
        return f"sqlite {sqlite3.sqlite_version}"

    @property
    def num_bytes(self) -> int:
        """Size on disk, without what was not moved from the log into the file yet."""
        with contextlib.suppress(OSError):
            return sum(path.stat().st_size for path in self.files)
        return 0

    @property
    def files(self) -> list[Path]:
        """The file and what SQLite keeps beside it, as far as they exist."""
        paths = [self.path, *(Path(f"{self.path}{ending}") for ending in COMPANIONS)]
        return [path for path in paths if path.exists()]

    def is_empty(self) -> bool:
        """Whether nothing would be lost by putting another database here."""
        return not any(path.stat().st_size for path in self.files)

    def dump(self, target: Path) -> None:
        """Copy the database as it stands at one moment; writers go on meanwhile.

        Raises BackupError.
        """
        if not self.path.is_file():
            raise BackupError(f"There is no database {self.path} yet; run `manage.py migrate`.")
        try:
            with (
                # Not read-only: after a crash SQLite must bring its log in order first.
                contextlib.closing(_connect(self.path, "rw")) as source,
                contextlib.closing(_connect(target, "rwc")) as copy,
            ):
                os.chmod(target, 0o600)
                # In one step: in several, every write of the server would begin the copy again.
                source.backup(copy)
                # One file, without a log beside it; the server switches the log on again.
                copy.execute("PRAGMA journal_mode=DELETE")
            check_sqlite(target)
        except sqlite3.Error as error:
            raise BackupError(f"The database {self.path} cannot be copied ({error}).") from None

    def migrations(self, dumped: Path) -> dict[str, str]:
        """The newest migration of every app in a dump."""
        try:
            with contextlib.closing(_connect(dumped, "ro")) as copy:
                rows = copy.execute("SELECT app, max(name) FROM django_migrations GROUP BY app")
                return dict(rows.fetchall())
        except sqlite3.Error:
            return {}

    def check(self, dumped: Path) -> None:
        """Raise BackupError unless the dump is a sound database."""
        try:
            check_sqlite(dumped)
        except sqlite3.Error as error:
            raise BackupError(f"The database in the backup is damaged ({error}).") from None

    def load(self, dumped: Path) -> None:
        """Put a dump of the same file system in the place of the database."""
        os.replace(dumped, self.path)


def check_sqlite(path: Path) -> None:
    """Raise sqlite3.DatabaseError unless every page of the file is sound."""
    with contextlib.closing(_connect(path, "ro")) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict).splitlines()[0][:200])


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=BUSY_S)
    connection.isolation_level = None
    return connection
