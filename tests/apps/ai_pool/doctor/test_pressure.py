"""Pressure-stall information of the kernel."""

from __future__ import annotations

from pathlib import Path

from apps.ai_pool.doctor.finding import Level
from apps.ai_pool.doctor.pressure import check_pressure
from tests.apps.ai_pool.doctor.findings import is_well, only

LINES = "some avg10={} avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 total=0\n"


def test_kernel_without_it(tmp_path: Path) -> None:
    finding = only(check_pressure(tmp_path / "memory"), "pressure-unknown", Level.NOTE)
    assert "psi=1" in finding.fix and "update-grub" in finding.fix


def test_something_waits_for_memory(tmp_path: Path) -> None:
    (tmp_path / "memory").write_text(LINES.format("34.20"))
    finding = only(check_pressure(tmp_path / "memory"), "pressure-high", Level.WARNING)
    assert "34 % of the time" in finding.sentence and "CORRAL_MAX_INSTANCES" in finding.fix


def test_calm(tmp_path: Path) -> None:
    (tmp_path / "memory").write_text(LINES.format("0.50"))
    assert is_well(check_pressure(tmp_path / "memory"))
