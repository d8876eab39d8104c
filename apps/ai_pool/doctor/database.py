"""The database: there, up to date, sound, and on a disk that can lock."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psutil
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from apps.ai_pool.backup.sqlite import check_sqlite
from apps.ai_pool.doctor.finding import Finding, Level, good

NETWORK_DISKS = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "glusterfs", "ceph")
MAX_CHECKED_BYTES = 500_000_000
"""A bigger file is not read whole: that would take minutes."""


def check_database() -> list[Finding]:
    """Connect as the server does."""
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        executor = MigrationExecutor(connection)
        num_pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        reason = " ".join(str(error).split())[:200]
        return [
            Finding(
                "database-unreachable",
                Level.ERROR,
                f"The database cannot be used ({reason}).",
                "Check DATABASE_URL and that the database runs; for SQLite, that CORRAL_VAR_DIR "
                "can be written.",
            )
        ]
    findings = [good("database", f"{connection.display_name} is up to date.")]
    if num_pending:
        findings = [
            Finding(
                "database-behind",
                Level.ERROR,
                f"The database is {num_pending} step{'s' if num_pending > 1 else ''} behind.",
                "Run `manage.py backup`, then `manage.py migrate`, and restart the server.",
            )
        ]
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        findings += [*check_file(path), *check_disk_kind(path, disk_kind(path))]
    return findings


def check_file(path: Path) -> list[Finding]:
    """Read every page of a SQLite file that is not too big."""
    try:
        if path.stat().st_size > MAX_CHECKED_BYTES:
            return []
        check_sqlite(path)
    except OSError:
        return []
    except sqlite3.Error as error:
        return [
            Finding(
                "database-damaged",
                Level.ERROR,
                f"The database {path} is damaged ({error}).",
                "Stop the server and restore the newest backup: `manage.py backup --list`, then "
                "`manage.py restore FILE --force`.",
            )
        ]
    return []


def check_disk_kind(path: Path, kind: str) -> list[Finding]:
    """SQLite needs locks that file systems over a network do not keep."""
    if not kind.startswith(NETWORK_DISKS):
        return []
    return [
        Finding(
            "database-on-network",
            Level.ERROR,
            f"{path} is on a network disk ({kind}), where SQLite loses data.",
            "Set CORRAL_VAR_DIR to a disk of this machine, or use PostgreSQL (DATABASE_URL).",
        )
    ]


def disk_kind(path: Path) -> str:
    """The file system ``path`` is on, "" if unknown."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    above = [parent for parent in path.resolve().parents if parent in mounts]
    return mounts[above[0]] if above else ""
