"""Where the things lie that a backup holds, and what the settings in a backup say about it."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ai_model.store import SELECTION_NAME
from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.manifest import ENV_NAME, KEY_NAME, MODEL_NAME, SQLITE_NAME
from apps.ai_pool.backup.postgres import PostgresDatabase
from apps.ai_pool.backup.sqlite import SqliteDatabase
from backend.env import BASE_DIR, read_settings

Database = SqliteDatabase | PostgresDatabase


@dataclass(frozen=True, slots=True)
class Place:
    """One installation's data."""

    var_dir: Path
    env_file: Path | None
    """None where no settings file is used."""
    database: Database

    @property
    def files(self) -> dict[str, Path]:
        """What is kept besides the database: name in the backup and where it belongs."""
        files = {
            KEY_NAME: self.var_dir / "secret_key",
            MODEL_NAME: self.var_dir / SELECTION_NAME,
        }
        return files if self.env_file is None else files | {ENV_NAME: self.env_file}


def current_place() -> Place:
    """The place of the settings in use. Raises BackupError for a database of another kind."""
    values: dict[str, Any] = settings.DATABASES["default"]
    var_dir = Path(settings.CORRAL_VAR_DIR)
    kind = values["ENGINE"].rpartition(".")[2]
    if kind == "sqlite3":
        return Place(var_dir, _env_file(), SqliteDatabase(Path(values["NAME"])))
    if kind in ("postgresql", "postgresql_psycopg2", "postgis"):
        return Place(var_dir, _env_file(), PostgresDatabase(values))
    raise BackupError(f"Backups know SQLite and PostgreSQL, not {kind}; use its own tools.")


def plain_place(directory: Path) -> Place:
    """A directory that gets everything: a var directory with the settings beside the rest."""
    return Place(directory, directory / ".env", SqliteDatabase(directory / SQLITE_NAME))


def place_by(env_text: str, now: Place) -> Place:
    """The place that a settings file means once it is in use; the environment wins over it.

    Raises BackupError when it cannot be told, or means another PostgreSQL than the one in use.
    """

    named, before = _parsed(env_text), _present_file(now)
    # What the present file put into the environment goes when the file is replaced.
    own = {name: value for name, value in os.environ.items() if before.get(name) != value}
    try:
        values = read_settings(named | own)
    except (ImproperlyConfigured, ValueError, TypeError, OSError) as error:
        raise BackupError(f"The settings in the backup cannot be used: {error}") from None
    if values["DATABASE_URL"]:
        if isinstance(now.database, PostgresDatabase):
            return now
        raise BackupError(
            "The settings in the backup use PostgreSQL; set DATABASE_URL to an empty database in "
            "the environment and restore again."
        )
    is_var_dir_named = "CORRAL_VAR_DIR" in named.keys() | before.keys()
    if isinstance(now.database, PostgresDatabase) or not is_var_dir_named:
        return now
    var_dir = (BASE_DIR / values["CORRAL_VAR_DIR"]).resolve()
    if var_dir == now.var_dir.resolve():
        return now
    return Place(var_dir, now.env_file, SqliteDatabase(var_dir / SQLITE_NAME))


def _present_file(now: Place) -> dict[str, str]:
    if now.env_file is None or not now.env_file.is_file():
        return {}
    return _parsed(now.env_file.read_text(errors="replace"))


def _parsed(env_text: str) -> dict[str, str]:
    class Parser(environ.Env):
        ENVIRON: dict[str, str] = {}  # type: ignore[assignment]

    Parser.read_env(io.StringIO(env_text))
    return Parser.ENVIRON


def _env_file() -> Path | None:
    path = os.environ.get("CORRAL_ENV_FILE", str(BASE_DIR / ".env"))
    return Path(path) if path else None
