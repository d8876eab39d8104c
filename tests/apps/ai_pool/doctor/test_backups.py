"""The age of the newest backup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from apps.ai_pool.backup.shelf import Shelf
from apps.ai_pool.doctor.backups import check_backups
from apps.ai_pool.doctor.finding import Level
from tests.apps.ai_pool.doctor.findings import is_well, only


def test_none(tmp_path: Path) -> None:
    finding = only(check_backups(Shelf(tmp_path / "none")), "backup-missing", Level.WARNING)
    assert "manage.py backup" in finding.fix


def test_age(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.next_path().touch()
    now = datetime.now(UTC)
    assert is_well(check_backups(shelf))
    assert is_well(check_backups(shelf, now=now + timedelta(hours=47)))
    late = check_backups(shelf, now=now + timedelta(hours=48, minutes=1))
    finding = only(late, "backup-old", Level.WARNING)
    assert "48 hours old" in finding.sentence and "manage.py backup" in finding.fix
