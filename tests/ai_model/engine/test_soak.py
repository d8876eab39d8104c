"""Thousands of requests leave nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project_files import ROOT

LEAK_BYTES = 3 * 1024 * 1024


@pytest.mark.timeout(400)
def test_ten_thousand_requests_keep_memory_flat(tiny_model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.ai_model.engine.soak", str(tiny_model)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=390,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) <= LEAK_BYTES
