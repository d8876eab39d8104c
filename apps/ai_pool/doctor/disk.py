"""Room on the disks that are written to."""

from __future__ import annotations

import os
from pathlib import Path

from apps.ai_pool.doctor.finding import Finding, Level, good

FULL_BYTES, LOW_BYTES = 200_000_000, 1_000_000_000
LOW_FILES = 1000


def check_disk(directory: Path) -> list[Finding]:
    """Whether the disk below ``directory`` has room for data. Raises OSError."""
    values = os.statvfs(directory)
    # Some file systems have no fixed number of files and say 0.
    num_files = values.f_favail if values.f_files else LOW_FILES
    return [judge_room(directory, values.f_bavail * values.f_frsize, num_files)]


def judge_room(directory: Path, free_bytes: int, num_free_files: int) -> Finding:
    """Say what so much room means."""
    free = f"{free_bytes / 1e6:,.0f} MB free"
    fix = (
        f"Make room (`du -xh {directory} | sort -h | tail`), have old backups and conversations "
        "removed (`manage.py chat_prune`), or set CORRAL_VAR_DIR to a bigger disk."
    )
    if free_bytes < FULL_BYTES:
        return Finding("disk-full", Level.ERROR, f"{directory} has only {free}.", fix)
    if num_free_files < LOW_FILES:
        return Finding(
            "disk-no-files",
            Level.ERROR,
            f"The disk of {directory} can take only {num_free_files} more files, however small.",
            "Remove directories with very many small files (`df -i`, `du --inodes -x / | sort -n "
            "| tail`).",
        )
    if free_bytes < LOW_BYTES:
        return Finding("disk-low", Level.WARNING, f"{directory} has {free}.", fix)
    return good("disk", f"{directory} has {free}.")
