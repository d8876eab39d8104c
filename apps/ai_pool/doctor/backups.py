"""Whether there is a backup, and how old it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.ai_pool.backup.shelf import Shelf
from apps.ai_pool.doctor.finding import Finding, Level, good

MAX_AGE = timedelta(hours=48)
FIX = "Run `manage.py backup`, and let cron or a timer do it every night (docs/operations.md)."


def check_backups(shelf: Shelf, *, now: datetime | None = None) -> list[Finding]:
    """``now``: UTC, for tests."""
    newest = shelf.newest_at
    if newest is None:
        sentence = f"There is no backup in {shelf.directory}."
        return [Finding("backup-missing", Level.WARNING, sentence, FIX)]
    age = (now or datetime.now(UTC)) - newest
    hours = int(age.total_seconds() // 3600)
    if age > MAX_AGE:
        sentence = f"The newest backup is {hours} hours old."
        return [Finding("backup-old", Level.WARNING, sentence, FIX)]
    return [good("backup", f"The newest backup is {max(0, hours)} hours old.")]
