"""The connection that stays open while the server runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backend.held_database import HeldDatabase

SQLITE = "django.db.backends.sqlite3"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a write-ahead log."""
    found = tmp_path / "db.sqlite3"
    write(found, "PRAGMA journal_mode=WAL", "CREATE TABLE words (word TEXT)")
    return found


@pytest.fixture
def held(path: Path) -> Iterator[HeldDatabase]:
    held = HeldDatabase({"ENGINE": SQLITE, "NAME": path})
    held.hold()
    yield held
    held.release()


def write(path: Path, *statements: str) -> None:
    """As a request does: open, write, close."""
    with closing(sqlite3.connect(path)) as opened, opened:
        for statement in statements:
            opened.execute(statement)


def has_log(path: Path) -> bool:
    """Return whether the log was left for later."""
    return path.with_name(path.name + "-wal").exists()


def test_the_log_is_not_written_back_after_every_request(path: Path, held: HeldDatabase) -> None:
    write(path, "INSERT INTO words VALUES ('one')")
    assert has_log(path)
    held.release()
    held.release()
    write(path, "INSERT INTO words VALUES ('two')")
    assert not has_log(path)


def test_the_log_can_be_written_back_meanwhile(path: Path, held: HeldDatabase) -> None:
    """A reader that never ends would let it grow for ever."""
    write(path, "INSERT INTO words VALUES ('one')")
    with closing(sqlite3.connect(path)) as opened:
        is_busy, *_ = opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert is_busy == 0
    assert path.with_name(path.name + "-wal").stat().st_size == 0


def test_what_cannot_be_opened_is_no_reason_not_to_start(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = HeldDatabase({"ENGINE": SQLITE, "NAME": path / "nowhere"})
    held.hold()
    held.release()
    assert "not held open" in caplog.text


def test_other_databases_are_left_alone(path: Path) -> None:
    HeldDatabase({"ENGINE": "backend.postgresql", "NAME": str(path)}).hold()
    write(path, "INSERT INTO words VALUES ('one')")
    assert not has_log(path)
