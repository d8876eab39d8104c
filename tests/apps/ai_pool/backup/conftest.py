"""A small site with a database that is written to, and backups of it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from apps.ai_pool.backup.making import make_backup
from apps.ai_pool.backup.place import Place, plain_place
from apps.ai_pool.backup.shelf import Shelf


def write_note(path: Path, text: str) -> None:
    """Add a row to a database with a write-ahead log, as the server's is."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS note (text)")
        connection.execute("CREATE TABLE IF NOT EXISTS django_migrations (app, name)")
        connection.execute("INSERT INTO note VALUES (?)", [text])
        connection.commit()


def notes_in(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY rowid")]


@pytest.fixture
def site(tmp_path: Path) -> Place:
    """One row in the database, a settings file and a chosen model."""
    directory = tmp_path / "site"
    directory.mkdir()
    place = plain_place(directory)
    write_note(directory / "db.sqlite3", "first")
    (directory / ".env").write_text("ALLOWED_HOSTS=chat.example.org\n")
    (directory / "model.json").write_text("{}")
    (directory / "big.gguf").write_text("a model is not backed up")
    return place


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "backups")


@pytest.fixture
def backup(site: Place, shelf: Shelf) -> Path:
    """A backup of the site."""
    return make_backup(site, shelf, num_kept=7).path


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a restored settings file means must not depend on who runs the tests."""
    for name in ("CORRAL_VAR_DIR", "DATABASE_URL", "NUM_PROXIES"):
        monkeypatch.delenv(name, raising=False)
