"""Threads against the CPU quota."""

from __future__ import annotations

from apps.ai_pool.doctor.finding import Level
from apps.ai_pool.doctor.processors import check_threads
from tests.apps.ai_pool.doctor.findings import is_well, only


def test_more_threads_than_quota() -> None:
    finding = only(check_threads(8, 2), "threads-above-quota", Level.WARNING)
    assert "8 threads and may run 2" in finding.sentence
    assert "CORRAL_THREADS=2" in finding.fix


def test_threads_within_quota() -> None:
    assert is_well(check_threads(2, 2)) and is_well(check_threads(1, 2))
