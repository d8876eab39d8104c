"""Restores a backup: everything is unpacked and checked before anything is touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db.migrations.loader import MigrationLoader

from apps.ai_pool import conf
from apps.ai_pool.backup.archive import read_manifest, sync_directory, unpack
from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.manifest import ENV_NAME, KEY_NAME, SQLITE_NAME, Manifest
from apps.ai_pool.backup.place import Place, place_by, plain_place
from apps.ai_pool.backup.postgres import PostgresDatabase
from apps.ai_pool.backup.sqlite import SqliteDatabase
from apps.ai_pool.server_lock import NAME as SERVER_LOCK
from apps.ai_pool.server_lock import is_held

SPARE_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    place: Place
    kept_in: Path | None
    """Where what was there before lies now, if there was anything."""


def check_backup(path: Path) -> Manifest:
    """Unpack a backup to nowhere in particular and check all of it. Raises BackupError."""
    with tempfile.TemporaryDirectory(prefix="corral-backup-") as name:
        manifest = unpack(path, Path(name))
        is_sqlite = manifest.database_name == SQLITE_NAME
        database = SqliteDatabase(Path()) if is_sqlite else PostgresDatabase({"NAME": ""})
        database.check(Path(name) / manifest.database_name)
    return manifest


def restore_to(path: Path, directory: Path, *, is_forced: bool = False) -> Restored:
    """Restore into a directory that does not exist or is empty. Raises BackupError."""
    if read_manifest(path).database_name != SQLITE_NAME:
        raise BackupError(
            "The backup holds a PostgreSQL database, which is no file; restore it without --to "
            "while DATABASE_URL names an empty database."
        )
    if directory.exists() and not directory.is_dir():
        raise BackupError(f"{directory} is no directory; choose another one.")
    if directory.is_dir() and any(directory.iterdir()) and not is_forced:
        raise BackupError(
            f"{directory} is not empty; choose another directory, or say --force to replace what a "
            "backup holds (it is kept beside)."
        )
    return _restore(path, plain_place(directory.absolute()), is_forced=is_forced)


def restore_here(path: Path, now: Place, *, is_forced: bool = False) -> Restored:
    """Restore to where the settings say, those in the backup included. Raises BackupError."""
    return _restore(path, now, is_forced=is_forced, choose=place_by)


def _restore(
    path: Path,
    place: Place,
    *,
    is_forced: bool,
    choose: Callable[[str, Place], Place] | None = None,
) -> Restored:
    manifest = read_manifest(path)
    _check_version(manifest, is_forced=is_forced)
    try:
        place.var_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_room(manifest, place.var_dir)
        # On the same disk as the goal, so that the last step is a rename.
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=place.var_dir) as name:
            draft = Path(name)
            unpack(path, draft)
            if choose is not None and (draft / ENV_NAME).is_file() and place.env_file is not None:
                place = choose((draft / ENV_NAME).read_text(errors="replace"), place)
                place.var_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            _check_kind(manifest, place)
            dump = draft / place.database.file_name
            place.database.check(dump)
            _check_not_running(place)
            kept_in = _clear(place, draft, is_forced=is_forced)
            _put(place, draft, dump)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise BackupError(f"The backup could not be restored ({where}{error.strerror}).") from None
    return Restored(manifest, place, kept_in)


def _check_version(manifest: Manifest, *, is_forced: bool) -> None:
    loader = MigrationLoader(None)
    known = set(loader.disk_migrations or {})
    newer = [
        f"{app} {name}" for app, name in manifest.migrations.items() if (app, name) not in known
    ]
    if newer and not is_forced:
        raise BackupError(
            f"The backup was made by a newer Corral ({manifest.versions.get('corral', '?')}; this "
            f"one does not know {', '.join(sorted(newer)[:3])}); update first, or say --force."
        )


def _check_room(manifest: Manifest, directory: Path) -> None:
    needed, free = manifest.num_bytes + SPARE_BYTES, shutil.disk_usage(directory).free
    if free < needed:
        raise BackupError(
            f"{directory} has {free / 1e6:,.0f} MB free and {needed / 1e6:,.0f} MB are needed."
        )


def _check_kind(manifest: Manifest, place: Place) -> None:
    if manifest.database_name == place.database.file_name:
        return
    if isinstance(place.database, PostgresDatabase):
        raise BackupError(
            "The backup holds a SQLite database and DATABASE_URL names PostgreSQL; remove "
            "DATABASE_URL and restore again."
        )
    raise BackupError(
        "The backup holds a PostgreSQL database; set DATABASE_URL to an empty database in the "
        "environment and restore again."
    )


def _check_not_running(place: Place) -> None:
    """Raise BackupError while a web process or the pool is at work here."""
    locks = (place.var_dir / SERVER_LOCK, place.var_dir / "pool.lock", _lock_of_settings(place))
    for lock in locks:
        if is_held(lock):
            raise BackupError(
                f"The server is running (it holds {lock}); stop it before you restore."
            )


def _lock_of_settings(place: Place) -> Path:
    """The lock of the pool that this site uses, which may be a service of its own."""
    is_ours = place.var_dir == Path(conf.settings.CORRAL_VAR_DIR)
    if is_ours and conf.is_pool_external():
        return conf.lock_path(conf.socket_path())
    return place.var_dir / "pool.lock"


def _clear(place: Place, draft: Path, *, is_forced: bool) -> Path | None:
    """Move what is in the way to a directory of its own, which is returned; or refuse."""
    is_empty = place.database.is_empty()
    in_the_way = []
    for name, target in place.files.items():
        new = draft / name
        if not new.is_file() or not target.exists() or target.read_bytes() == new.read_bytes():
            continue
        # Without a database the key was made by this very command, as for every first start.
        if name == KEY_NAME and is_empty:
            target.unlink()
        else:
            in_the_way.append(target)
    if not is_empty:
        in_the_way += place.database.files
        if isinstance(place.database, PostgresDatabase) and not is_forced:
            raise BackupError("The PostgreSQL database is not empty; say --force to replace it.")
    if in_the_way and not is_forced:
        raise BackupError(
            f"{in_the_way[0]} is there already; say --force to put the backup in its place (what "
            "is there now is kept beside)."
        )
    if not in_the_way:
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    kept_in = place.var_dir / f"before-restore-{stamp}"
    kept_in.mkdir(mode=0o700)
    for path in in_the_way:
        shutil.move(path, kept_in / path.name)
    return kept_in


def _put(place: Place, draft: Path, dump: Path) -> None:
    """Put everything in its place; the database last, because with it the site is whole."""
    for name, target in place.files.items():
        new = draft / name
        if new.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(new, target)
    if isinstance(place.database, SqliteDatabase):
        for leftover in place.database.files:
            leftover.unlink()
        place.database.path.parent.mkdir(parents=True, exist_ok=True)
        if place.database.path.parent != place.var_dir:
            # It may be on another disk.
            moved = place.database.path.with_name(f".{place.database.path.name}.restored")
            shutil.move(dump, moved)
            dump = moved
    place.database.load(dump)
    for directory in {place.var_dir, *(path.parent for path in place.files.values())}:
        sync_directory(directory)
