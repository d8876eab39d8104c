"""Databases and caches for servers in tests, where the tests run on PostgreSQL and Redis.

``deploy/make/stores.sh`` starts servers that may be filled with anything, and says so with
CORRAL_TEST_STORES=1. Whatever else DATABASE_URL names is somebody's, and no test goes near it.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

_numbers = itertools.count(1)


def has_stores() -> bool:
    """Whether the servers that the environment names are there for tests."""
    return os.environ.get("CORRAL_TEST_STORES") == "1"


def is_postgres() -> bool:
    """Whether servers of tests get a PostgreSQL."""
    return has_stores() and "DATABASE_URL" in os.environ


def is_redis() -> bool:
    """Whether servers of tests count in a Redis."""
    return has_stores() and "CORRAL_CACHE_URL" in os.environ


def described() -> str:
    """What the tests run on, for the head of their report."""
    database = "PostgreSQL" if is_postgres() else "SQLite"
    return f"database: {database}, cache: {'Redis' if is_redis() else 'in the process'}"


@contextmanager
def fresh_stores() -> Iterator[dict[str, str]]:
    """Settings that name an empty database and an empty cache of their own.

    None at all when the tests run on SQLite: then the server's own directory is as good.
    """
    number, settings = next(_numbers), {}
    if is_redis():
        settings["CORRAL_CACHE_URL"] = os.environ["CORRAL_CACHE_URL"].replace(
            "db=0", f"db={number}"
        )
    if not is_postgres():
        yield settings
        return
    url, name = os.environ["DATABASE_URL"], f"server_{number}"
    with _connected(url, "postgres") as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield {**settings, "DATABASE_URL": f"{url.rpartition('/')[0]}/{name}"}
    finally:
        # A server that was killed has left its lines open.
        with _connected(url, "postgres") as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def rows_of(env: Mapping[str, str], statement: str) -> list[tuple[Any, ...]]:
    """Ask the database of a server with these settings, whichever it is."""
    url = env.get("DATABASE_URL", "")
    if url:
        with _connected(url) as connection:
            return list(connection.execute(statement).fetchall())
    with closing(sqlite3.connect(Path(env["CORRAL_VAR_DIR"]) / "db.sqlite3")) as file:
        return file.execute(statement).fetchall()


def _connected(url: str, name: str = "") -> Any:
    """A line to the database, or to ``name`` on the same server; every statement is final."""
    import psycopg

    from backend.database import database

    found = database(url, Path())
    return psycopg.connect(
        host=found["HOST"], user=found["USER"], dbname=name or found["NAME"], autocommit=True
    )
