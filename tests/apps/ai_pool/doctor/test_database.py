"""The database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from apps.ai_pool.doctor import database
from apps.ai_pool.doctor.database import (
    check_database,
    check_disk_kind,
    check_file,
    disk_kind,
)
from apps.ai_pool.doctor.finding import Level
from tests.apps.ai_pool.doctor.findings import is_well, only


@pytest.mark.django_db
def test_up_to_date() -> None:
    assert is_well(check_database())


@pytest.mark.django_db
def test_behind() -> None:
    last = MigrationRecorder.Migration.objects.filter(app="ai_pool").latest("id")
    MigrationRecorder(connection).record_unapplied(last.app, last.name)
    finding = only(check_database(), "database-behind", Level.ERROR)
    assert "1 step behind" in finding.sentence
    assert "manage.py backup" in finding.fix and "manage.py migrate" in finding.fix


@pytest.mark.django_db
def test_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: object) -> None:
        raise OperationalError("unable to open\ndatabase file")

    monkeypatch.setattr(database, "MigrationExecutor", fail)
    finding = only(check_database(), "database-unreachable", Level.ERROR)
    assert "unable to open database file" in finding.sentence and "DATABASE_URL" in finding.fix


def test_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE t (a)")
        writer.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 100)
        writer.commit()
    assert check_file(path) == []
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xee" * 4096
    path.write_bytes(data)
    finding = only(check_file(path), "database-damaged", Level.ERROR)
    assert "manage.py restore FILE --force" in finding.fix


def test_network_disk() -> None:
    finding = only(check_disk_kind(Path("/mnt/db"), "nfs4"), "database-on-network", Level.ERROR)
    assert "/mnt/db" in finding.sentence and "nfs4" in finding.sentence
    assert "CORRAL_VAR_DIR" in finding.fix and "DATABASE_URL" in finding.fix


def test_disk_of_this_machine(tmp_path: Path) -> None:
    assert disk_kind(tmp_path / "db.sqlite3")
    assert check_disk_kind(tmp_path, "ext4") == []
