"""A restore touches nothing before everything was checked, and throws nothing away."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
from pathlib import Path

import pytest

from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.making import make_backup
from apps.ai_pool.backup.place import Place, place_by, plain_place
from apps.ai_pool.backup.restoring import check_backup, restore_here, restore_to
from apps.ai_pool.backup.shelf import Shelf
from tests.apps.ai_pool.backup.conftest import notes_in, write_note


def test_into_an_empty_directory(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "var"
    restored = restore_to(backup, target)
    assert notes_in(target / "db.sqlite3") == ["first"]
    assert (target / ".env").read_text() == "ALLOWED_HOSTS=chat.example.org\n"
    assert {path.name for path in target.iterdir()} == {
        "db.sqlite3",
        ".env",
        "secret_key",
        "model.json",
    }
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in target.iterdir())
    assert restored.kept_in is None


def test_never_over_something_unasked(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "new"
    target.mkdir()
    (target / "mine").write_text("mine")
    with pytest.raises(BackupError, match="is not empty.*--force"):
        restore_to(backup, target)
    assert [path.name for path in target.iterdir()] == ["mine"]


def test_force_keeps_what_was_there(site: Place, backup: Path) -> None:
    write_note(site.var_dir / "db.sqlite3", "later")
    (site.var_dir / ".env").write_text("ALLOWED_HOSTS=other.example.org\n")
    with pytest.raises(BackupError, match="--force"):
        restore_here(backup, site)
    assert notes_in(site.var_dir / "db.sqlite3") == ["first", "later"]
    restored = restore_here(backup, site, is_forced=True)
    assert notes_in(site.var_dir / "db.sqlite3") == ["first"]
    assert "chat.example.org" in (site.var_dir / ".env").read_text()
    assert restored.kept_in is not None
    assert notes_in(restored.kept_in / "db.sqlite3") == ["first", "later"]
    assert "other.example.org" in (restored.kept_in / ".env").read_text()
    assert not list(site.var_dir.glob(".restore-*"))


def test_old_log_is_not_mixed_into_the_restored_database(site: Place, backup: Path) -> None:
    """A write-ahead log that outlived its database would be replayed into the new one."""
    database = site.var_dir / "db.sqlite3"
    holder = sqlite3.connect(database)
    holder.execute("PRAGMA wal_autocheckpoint=0")
    holder.execute("INSERT INTO note VALUES ('stale')")
    holder.commit()
    log = Path(f"{database}-wal").read_bytes()
    holder.close()
    database.unlink()
    Path(f"{database}-wal").write_bytes(log)
    restore_here(backup, site, is_forced=True)
    assert notes_in(database) == ["first"]


def test_empty_leftovers_are_cleared(backup: Path, tmp_path: Path) -> None:
    place = plain_place(tmp_path / "fresh")
    place.var_dir.mkdir()
    for name in ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"):
        (place.var_dir / name).touch()
    restore_here(backup, place)
    assert [path.name for path in place.var_dir.glob("db.sqlite3*")] == ["db.sqlite3"]
    assert notes_in(place.var_dir / "db.sqlite3") == ["first"]


def test_key_of_a_first_start_gives_way(backup: Path, tmp_path: Path) -> None:
    """manage.py makes a key before it can restore one."""
    place = plain_place(tmp_path / "fresh")
    place.var_dir.mkdir()
    (place.var_dir / "secret_key").write_text("made a moment ago")
    restore_here(backup, place)
    assert "made a moment ago" not in (place.var_dir / "secret_key").read_text()


def test_running_server_is_noticed(backup: Path, tmp_path: Path) -> None:
    place = plain_place(tmp_path / "fresh")
    place.var_dir.mkdir()
    with open(place.var_dir / "pool.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackupError, match="The server is running"):
            restore_here(backup, place, is_forced=True)
    assert not (place.var_dir / "db.sqlite3").exists()
    restore_here(backup, place)


def test_database_of_a_newer_corral(site: Place, shelf: Shelf, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(site.var_dir / "db.sqlite3")) as connection:
        connection.execute("INSERT INTO django_migrations VALUES ('ai_chat', '9999_future')")
        connection.commit()
    path = make_backup(site, shelf, num_kept=7).path
    with pytest.raises(BackupError, match="newer Corral.*ai_chat 9999_future.*update first"):
        restore_to(path, tmp_path / "new")
    assert notes_in(restore_to(path, tmp_path / "forced", is_forced=True).place.database.path)


def test_damaged_backup_changes_nothing(site: Place, backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-200])
    before = {path.name: path.read_bytes() for path in site.var_dir.iterdir() if path.is_file()}
    with pytest.raises(BackupError):
        restore_here(backup, site, is_forced=True)
    after = {path.name: path.read_bytes() for path in site.var_dir.iterdir() if path.is_file()}
    assert before == after


def test_check_says_sound_or_why_not(backup: Path) -> None:
    assert check_backup(backup).database_name == "db.sqlite3"
    backup.write_bytes(backup.read_bytes()[:-200])
    with pytest.raises(BackupError):
        check_backup(backup)


def test_settings_of_the_backup_say_where_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Restored settings that name another var directory must find the database there."""
    now = plain_place(tmp_path / "now")
    elsewhere = place_by(f"CORRAL_VAR_DIR={tmp_path}/other\n", now)
    assert elsewhere.var_dir == tmp_path / "other"
    assert elsewhere.database.path == tmp_path / "other" / "db.sqlite3"
    monkeypatch.setenv("CORRAL_VAR_DIR", str(now.var_dir))
    assert place_by(f"CORRAL_VAR_DIR={tmp_path}/other\n", now) == now
    # What the present file said does not count as the environment: it is about to be replaced.
    now.var_dir.mkdir()
    now.env_file.write_text(f"CORRAL_VAR_DIR={now.var_dir}\n")
    assert place_by(f"CORRAL_VAR_DIR={tmp_path}/other\n", now).var_dir == tmp_path / "other"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("DATABASE_URL=postgres://a:b@c/d\n", "set DATABASE_URL to an empty database"),
        ("NUM_PROXIES=many\n", "settings in the backup cannot be used: NUM_PROXIES"),
    ],
)
def test_settings_that_cannot_be_followed(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BackupError, match=sentence):
        place_by(text, plain_place(tmp_path))
