"""A real PostgreSQL, where its programs are installed: dumped, restored, never overwritten."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.making import make_backup
from apps.ai_pool.backup.place import Place
from apps.ai_pool.backup.postgres import PostgresDatabase
from apps.ai_pool.backup.restoring import check_backup, restore_here, restore_to
from apps.ai_pool.backup.shelf import Shelf

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def as_postgres(*command: str) -> None:
    """Run a program as a user that PostgreSQL accepts; it refuses root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run(
        [*prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd="/tmp", timeout=60
    )


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """A PostgreSQL in a new directory that listens on a socket only."""
    if not PROGRAMS or shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    if os.getuid() == 0:
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("there is no user postgres, and root may not run PostgreSQL")
    programs = PROGRAMS[-1].parent
    with tempfile.TemporaryDirectory(prefix="corral-pg-", dir="/tmp") as name:
        if os.getuid() == 0:
            os.chown(name, owner.pw_uid, owner.pw_gid)
        data = f"{name}/data"
        as_postgres(str(programs / "initdb"), "-D", data, "-U", "corral", "--auth=trust")
        options = f"-c listen_addresses='' -c unix_socket_directories={name} -c fsync=off"
        control = [str(programs / "pg_ctl"), "-D", data, "-w", "-l", f"{name}/log"]
        as_postgres(*control, "-o", options, "start")
        try:
            yield {"HOST": name, "USER": "corral", "PASSWORD": "not asked for"}
        finally:
            as_postgres(*control, "-m", "immediate", "stop")


@pytest.fixture
def databases(server: dict[str, str]) -> Iterator[tuple[PostgresDatabase, PostgresDatabase]]:
    """One database with a row, and an empty one."""
    root = PostgresDatabase(server | {"NAME": "postgres"})
    made = []
    for name in ("full", "empty"):
        root._run("psql", "-d", "postgres", "-c", f"CREATE DATABASE {name}_site")
        made.append(PostgresDatabase(server | {"NAME": f"{name}_site"}))
    ask(
        made[0],
        "CREATE TABLE note (text text); INSERT INTO note VALUES ('first');"
        "CREATE TABLE django_migrations (app text, name text);"
        "INSERT INTO django_migrations VALUES ('ai_pool', '0001_initial')",
    )
    yield made[0], made[1]
    for name in ("full", "empty"):
        root._run("psql", "-d", "postgres", "-c", f"DROP DATABASE {name}_site")


def ask(database: PostgresDatabase, query: str) -> str:
    return " ".join(database._ask(query))


def place(directory: Path, database: PostgresDatabase) -> Place:
    directory.mkdir(exist_ok=True)
    return Place(directory, directory / ".env", database)


def test_there_and_back(
    databases: tuple[PostgresDatabase, PostgresDatabase], shelf: Shelf, tmp_path: Path
) -> None:
    full, empty = databases
    made = make_backup(place(tmp_path / "site", full), shelf, num_kept=7)
    assert made.manifest.migrations == {"ai_pool": "0001_initial"}
    assert made.manifest.versions["database"].startswith("pg_dump (PostgreSQL)")
    assert check_backup(made.path).database_name == "db.pgdump"
    assert empty.is_empty() and not full.is_empty()
    restore_here(made.path, place(tmp_path / "new", empty))
    assert ask(empty, "SELECT text FROM note") == "first"


def test_never_over_something_unasked(
    databases: tuple[PostgresDatabase, PostgresDatabase], shelf: Shelf, tmp_path: Path
) -> None:
    full, _ = databases
    site = place(tmp_path / "site", full)
    path = make_backup(site, shelf, num_kept=7).path
    ask(full, "INSERT INTO note VALUES ('later')")
    with pytest.raises(BackupError, match="not empty; say --force"):
        restore_here(path, site)
    assert ask(full, "SELECT count(*) FROM note") == "2"
    restore_here(path, site, is_forced=True)
    assert ask(full, "SELECT text FROM note") == "first"
    with pytest.raises(BackupError, match="without --to"):
        restore_to(path, tmp_path / "directory")


def test_database_that_is_not_there(server: dict[str, str], shelf: Shelf, tmp_path: Path) -> None:
    database = PostgresDatabase(server | {"NAME": "nothing"})
    with pytest.raises(BackupError, match='pg_dump failed: .*"nothing" does not exist'):
        make_backup(place(tmp_path / "site", database), shelf, num_kept=7)
    assert shelf.backups == []


def test_programs_that_are_not_there(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="pg_dump is not installed.*postgresql-client"):
        make_backup(place(tmp_path / "site", PostgresDatabase({"NAME": "x"})), shelf, num_kept=7)


def test_password_is_no_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments of a program can be read by everybody on the machine."""
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$* / $PGPASSWORD / $PGHOST" > "$0.called"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    values = {"NAME": "site", "PASSWORD": "wombat", "HOST": "db.example.org"}
    with pytest.raises(OSError):
        PostgresDatabase(values).dump(tmp_path / "dump")
    arguments, password, host = (tmp_path / "pg_dump.called").read_text().strip().split(" / ")
    assert (password, host) == ("wombat", "db.example.org")
    assert "wombat" not in arguments and "--dbname site" in arguments
