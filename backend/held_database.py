"""Holds SQLite's database open while the server runs.

Whoever closes the last connection to a database with a write-ahead log writes that log back and
waits for the disk. Connections are closed after every request and task here (see ``database.py``),
so that is what nearly every write paid for: 4 of 5 ms for the text of a running answer.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)


class HeldDatabase:
    """One more connection, which nobody uses. Not thread-safe: for the start and the end."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """``settings`` are Django's of the database, with ENGINE and NAME."""
        self._settings = settings
        self._connection: sqlite3.Connection | None = None

    def hold(self) -> None:
        """Open it, if the database is a file of SQLite. Never raises: it only saves time."""
        is_sqlite = str(self._settings["ENGINE"]).endswith("sqlite3")
        if not is_sqlite or self._connection is not None:
            return
        opened = None
        try:
            opened = sqlite3.connect(
                str(self._settings["NAME"]), timeout=1.0, check_same_thread=False
            )
            # Only who has read something counts as one who has it open.
            opened.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
        except sqlite3.Error as error:
            log.warning("The database is not held open (%s).", type(error).__name__)
            if opened is not None:
                opened.close()
            return
        self._connection = opened

    def release(self) -> None:
        """Close it. Idempotent."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
