"""Why a backup could not be made, read or restored."""

from __future__ import annotations


class BackupError(Exception):
    """Nothing was changed. The text is one sentence with the cause, and the fix where it helps."""
