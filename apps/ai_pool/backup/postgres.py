"""A PostgreSQL database, through its own programs: pg_dump, pg_restore and psql."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.manifest import POSTGRES_NAME

DUMP_TIMEOUT_S = 3600.0
ASK_TIMEOUT_S = 30.0
_NUM_TABLES = (
    "SELECT count(*) FROM information_schema.tables"
    " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
)
_MIGRATIONS = "SELECT app || '=' || max(name) FROM django_migrations GROUP BY app"


class PostgresDatabase:
    """The database that DATABASE_URL names."""

    file_name = POSTGRES_NAME
    num_bytes = 0
    """Not known: it is not on this disk."""
    files: list[Path] = []

    def __init__(self, values: dict[str, Any]) -> None:
        """``values`` is the entry of Django's DATABASES."""
        self._name = str(values["NAME"])
        self._env = dict(os.environ)
        for variable, key in (
            ("PGHOST", "HOST"),
            ("PGPORT", "PORT"),
            ("PGUSER", "USER"),
            # In the environment and never among the arguments, which everybody can read.
            ("PGPASSWORD", "PASSWORD"),
        ):
            if values.get(key):
                self._env[variable] = str(values[key])
        for option, value in (values.get("OPTIONS") or {}).items():
            if option in ("sslmode", "sslrootcert", "sslcert", "sslkey"):
                self._env[f"PG{option.upper()}"] = str(value)

    @property
    def version(self) -> str:
        """Name and version of the program that makes the dump."""
        return self._run("pg_dump", "--version", timeout_s=ASK_TIMEOUT_S).strip()

    def is_empty(self) -> bool:
        """Whether there is no table yet. Raises BackupError."""
        return self._ask(_NUM_TABLES) == ["0"]

    def dump(self, target: Path) -> None:
        """Write a consistent dump; the server goes on meanwhile. Raises BackupError."""
        self._run(
            *("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password"),
            *("--file", str(target), "--dbname", self._name),
        )
        os.chmod(target, 0o600)

    def migrations(self, dumped: Path) -> dict[str, str]:
        """The newest migration of every app, as the database has it now."""
        try:
            pairs = [line.partition("=") for line in self._ask(_MIGRATIONS)]
        except BackupError:
            return {}
        return {app: name for app, _, name in pairs}

    def check(self, dumped: Path) -> None:
        """Raise BackupError unless pg_restore can read the dump."""
        self._run("pg_restore", "--list", str(dumped), timeout_s=ASK_TIMEOUT_S)

    def load(self, dumped: Path) -> None:
        """Restore the dump in one transaction: all of it or nothing. Raises BackupError."""
        self._run(
            *("pg_restore", "--no-owner", "--no-privileges", "--no-password"),
            *("--single-transaction", "--exit-on-error", "--clean", "--if-exists"),
            *("--dbname", self._name, str(dumped)),
        )

    def _ask(self, query: str) -> list[str]:
        return self._run(
            *("psql", "--no-psqlrc", "--no-password", "--tuples-only", "--no-align"),
            *("--dbname", self._name, "--command", query),
            timeout_s=ASK_TIMEOUT_S,
        ).split()

    def _run(self, *command: str, timeout_s: float = DUMP_TIMEOUT_S) -> str:
        try:
            done = subprocess.run(
                command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
            )
        except FileNotFoundError:
            raise BackupError(
                f"{command[0]} is not installed; install PostgreSQL's client programs (Debian: "
                "postgresql-client) of the server's version or newer."
            ) from None
        except subprocess.TimeoutExpired:
            raise BackupError(f"{command[0]} did not finish within {timeout_s:.0f} s.") from None
        if done.returncode:
            said = " ".join(done.stderr.split())[:300]
            raise BackupError(f"{command[0]} failed: {said}")
        return done.stdout
