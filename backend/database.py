"""Where the database is: SQLite in the var directory, or what DATABASE_URL names."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from backend.setting import WRONG_VALUE_ID

_POSTGRES = "django.db.backends.postgresql"
_BOUNDED_POSTGRES = "backend.postgresql"
_EXAMPLE = "postgres://user:password@host/name"


def database(url: str, var_dir: Path) -> dict[str, Any]:
    """Return Django's settings of the database. Raises ImproperlyConfigured, never with the
    address itself in it, which may hold a password."""
    return _from_url(url) if url else _sqlite(var_dir)


def _sqlite(var_dir: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": var_dir / "db.sqlite3",
        # Connections are not kept: under ASGI a thread may never come back to close its own.
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            # A transaction that means to write says so at its start; otherwise two of them
            # can each hold what the other one needs, and SQLite fails one at once.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;"
            ),
        },
        # A file, because several threads of a test share the database.
        "TEST": {"NAME": var_dir / "test.sqlite3"},
    }


def _from_url(url: str) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said below
            found: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, ImproperlyConfigured):
        found = {}
    engine = str(found.get("ENGINE", ""))
    if "." not in engine or not found.get("NAME"):
        raise ImproperlyConfigured(
            f"DATABASE_URL is not the address of a database; write it like {_EXAMPLE} "
            f"({WRONG_VALUE_ID})"
        )
    if engine == _POSTGRES and find_spec("psycopg") is None and find_spec("psycopg2") is None:
        raise ImproperlyConfigured(
            "DATABASE_URL names PostgreSQL, and its driver is not installed; run `pip install "
            f"'psycopg[binary]'` in the server's environment ({WRONG_VALUE_ID})"
        )
    if engine == _POSTGRES:
        found["ENGINE"] = _BOUNDED_POSTGRES
    return {**found, "CONN_MAX_AGE": 0}
