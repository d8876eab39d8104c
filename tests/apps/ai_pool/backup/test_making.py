"""A backup is one private file that is complete or not there, and seven are kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.ai_pool.backup import archive, making
from apps.ai_pool.backup.archive import unpack
from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.making import make_backup
from apps.ai_pool.backup.place import Place, plain_place
from apps.ai_pool.backup.shelf import DRAFT_AGE_S, Shelf
from tests.apps.ai_pool.backup.conftest import notes_in


def test_holds_key_and_settings_but_no_model(
    backup: Path, tmp_path: Path, settings: Settings
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    unpack(backup, out)
    assert (out / "secret_key").read_text().strip() == settings.SECRET_KEY
    assert (out / "env").read_text() == "ALLOWED_HOSTS=chat.example.org\n"
    assert not list(out.glob("*.gguf"))
    assert notes_in(out / "db.sqlite3") == ["first"]


def test_is_private(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert backup.parent.stat().st_mode & 0o777 == 0o700


def test_one_moment_of_a_database_that_is_written_to(
    site: Place, shelf: Shelf, tmp_path: Path
) -> None:
    """Rows go in without a pause; the copy has the first n of them and no gap."""
    path, has_enough = site.var_dir / "db.sqlite3", threading.Event()
    is_over = threading.Event()

    def write() -> None:
        connection = sqlite3.connect(path, timeout=20)
        number = 0
        while not is_over.is_set():
            connection.execute("INSERT INTO note VALUES (?)", [str(number)])
            connection.commit()
            number += 1
            if number == 50:
                has_enough.set()
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert has_enough.wait(30)
        made = make_backup(site, shelf, num_kept=7)
    finally:
        is_over.set()
        writer.join(30)
    (tmp_path / "out").mkdir()
    unpack(made.path, tmp_path / "out")
    rows = notes_in(tmp_path / "out" / "db.sqlite3")
    assert rows == ["first", *map(str, range(len(rows) - 1))] and len(rows) > 50
    assert len(notes_in(path)) >= len(rows)


def test_rows_that_are_only_in_the_log(site: Place, shelf: Shelf, tmp_path: Path) -> None:
    """What a dead server left in the write-ahead log belongs to the database."""
    holder = sqlite3.connect(site.var_dir / "db.sqlite3")
    holder.execute("PRAGMA wal_autocheckpoint=0")
    holder.execute("INSERT INTO note VALUES ('in the log')")
    holder.commit()
    crashed = tmp_path / "crashed"
    shutil.copytree(site.var_dir, crashed, ignore=shutil.ignore_patterns("*-shm"))
    holder.close()
    made = make_backup(plain_place(crashed), shelf, num_kept=7)
    (tmp_path / "out").mkdir()
    unpack(made.path, tmp_path / "out")
    assert notes_in(tmp_path / "out" / "db.sqlite3") == ["first", "in the log"]


def test_seven_are_kept_and_nothing_else_is_touched(site: Place, shelf: Shelf) -> None:
    shelf.directory.mkdir()
    stranger = shelf.directory / "corral-mine.tar.gz"
    stranger.touch()
    made = [make_backup(site, shelf, num_kept=7) for _ in range(9)]
    assert shelf.backups == [one.path for one in reversed(made[2:])]
    assert [len(one.removed) for one in made] == [0] * 7 + [1, 1]
    assert stranger.exists()
    assert shelf.newest_at is not None and abs(shelf.newest_at.timestamp() - time.time()) < 60


def test_failure_leaves_nothing_and_removes_nothing(
    site: Place, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = make_backup(site, shelf, num_kept=1).path

    def fail(*names: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.os, "fsync", fail)
    with pytest.raises(BackupError, match="No space left on device"):
        make_backup(site, shelf, num_kept=1)
    assert {path.name for path in shelf.directory.iterdir()} == {".lock", kept.name}


def test_drafts_of_the_dead_are_removed(site: Place, shelf: Shelf) -> None:
    shelf.directory.mkdir()
    old, new = shelf.directory / ".backup-old.tmp", shelf.directory / ".backup-new.tmp"
    old.touch()
    new.touch()
    os.utime(old, (time.time() - DRAFT_AGE_S - 60,) * 2)
    make_backup(site, shelf, num_kept=7)
    assert not old.exists() and new.exists()


def test_two_at_once(site: Place, shelf: Shelf) -> None:
    with shelf.locked(), pytest.raises(BackupError, match="Another backup is being made"):
        make_backup(site, shelf, num_kept=7)
    with open(shelf.directory / ".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_no_database(tmp_path: Path, shelf: Shelf) -> None:
    with pytest.raises(BackupError, match="run `manage.py migrate`"):
        make_backup(plain_place(tmp_path), shelf, num_kept=7)


def test_damaged_database_is_no_backup(site: Place, shelf: Shelf) -> None:
    path = site.var_dir / "db.sqlite3"
    path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 3000)
    with pytest.raises(BackupError, match="cannot be copied"):
        make_backup(site, shelf, num_kept=7)
    assert shelf.backups == []


def test_full_disk_is_seen_before(
    site: Place, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(making.shutil, "disk_usage", lambda path: usage(10, 9, 1))
    with pytest.raises(BackupError, match="make room"):
        make_backup(site, shelf, num_kept=7)


def test_place_that_cannot_be_written(site: Place, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupError, match="CORRAL_BACKUP_DIR"):
        make_backup(site, Shelf(tmp_path / "file" / "below"), num_kept=7)
