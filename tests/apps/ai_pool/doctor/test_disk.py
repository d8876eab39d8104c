"""Room on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.ai_pool.doctor.disk import check_disk, judge_room
from apps.ai_pool.doctor.finding import Level
from tests.apps.ai_pool.doctor.findings import is_well, only

MB = 1_000_000


def test_real_disk(tmp_path: Path) -> None:
    assert [one.id.partition("-")[0] for one in check_disk(tmp_path)] == ["disk"]


@pytest.mark.parametrize(
    ("free", "num_files", "id", "level", "fix"),
    [
        (100 * MB, 9999, "disk-full", Level.ERROR, "manage.py chat_prune"),
        (900 * MB, 9999, "disk-low", Level.WARNING, "CORRAL_VAR_DIR to a bigger disk"),
        (9000 * MB, 10, "disk-no-files", Level.ERROR, "du --inodes"),
    ],
)
def test_too_little(free: int, num_files: int, id: str, level: Level, fix: str) -> None:
    finding = only([judge_room(Path("/data"), free, num_files)], id, level)
    assert "/data" in finding.sentence and fix in finding.fix


def test_enough() -> None:
    assert is_well([judge_room(Path("/data"), 2000 * MB, 9999)])
