"""How many compilers the installer dares to run at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.make import machine


@pytest.mark.parametrize(
    ("num_cpus", "free_mb", "num_jobs"),
    [
        (8, 16_000, 8),
        (8, 2_200, 3),
        (2, 1_500, 2),
        (4, 700, 1),
        (4, 100, 1),
        (1, 64_000, 1),
        (4, None, 4),
    ],
)
def test_jobs_fit_into_memory(num_cpus: int, free_mb: int | None, num_jobs: int) -> None:
    free = None if free_mb is None else free_mb * 1_000_000
    assert machine.num_compile_jobs(num_cpus, free) == num_jobs


def test_a_container_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    assert machine.free_memory() == 8_000_000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("500000000\n")
    assert machine.free_memory() == 8_000_000 * 1024
    (tmp_path / "memory.max").write_text("2000000000\n")
    assert machine.free_memory() == 1_500_000_000


def test_unknown_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "none")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    assert machine.free_memory() is None


@pytest.mark.parametrize(("quota", "most"), [("max 100000", 10_000), ("150000 100000", 1)])
def test_a_container_quota_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, most: int
) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text(quota)
    assert 1 <= machine.usable_cpus() <= most


def test_less_than_one_processor_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text("50000 100000")
    assert machine.usable_cpus() == 1
