"""A restore can tell whether a web process is at work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from apps.ai_pool.server_lock import NAME, hold_server_lock, is_held
from tests.live import ROOT

HOLD = (
    "import sys; from pathlib import Path; from apps.ai_pool.server_lock import hold_server_lock\n"
    "hold_server_lock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


def test_held_as_long_as_a_process_lives(tmp_path: Path) -> None:
    assert not is_held(tmp_path / NAME)
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        for _ in range(2)
    ]
    for number, holder in enumerate(holders):
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n", number
    for holder in holders:
        assert is_held(tmp_path / NAME)
        holder.kill()
        holder.communicate(timeout=10)
    assert not is_held(tmp_path / NAME)


def test_directory_that_cannot_be_written(tmp_path: Path) -> None:
    hold_server_lock(tmp_path / "missing")
    assert not is_held(tmp_path / "missing" / NAME)
