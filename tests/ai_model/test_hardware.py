"""Processors and memory are counted by quota and limit, on control groups v1, v2 and none."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from ai_model.hardware import memory_limit_bytes, num_usable_cpus

ALL = len(os.sched_getaffinity(0))


def _write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def _membership(tmp_path: Path, text: str) -> Path:
    _write(tmp_path, "membership", text)
    return tmp_path / "membership"


def test_version_2_takes_the_tightest_ancestor(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    _write(root, "site/cpu.max", "100000 100000\n")
    _write(root, "site/web/cpu.max", "max 100000\n")
    _write(root, "site/memory.max", "1073741824\n")
    _write(root, "site/web/memory.max", "max\n")
    own = _membership(tmp_path, "0::/site/web\n")
    assert num_usable_cpus(root, own) == 1
    assert memory_limit_bytes(root, own) == 1 << 30


def test_version_1(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    _write(root, "cpu,cpuacct/box/cpu.cfs_quota_us", "50000\n")
    _write(root, "cpu,cpuacct/box/cpu.cfs_period_us", "100000\n")
    _write(root, "memory/box/memory.limit_in_bytes", "2147483648\n")
    own = _membership(tmp_path, "4:cpu,cpuacct:/box\n5:memory:/box\n")
    assert num_usable_cpus(root, own) == 1
    assert memory_limit_bytes(root, own) == min(2 << 30, psutil.virtual_memory().total)


def test_no_limits_anywhere(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    _write(root, "memory/memory.limit_in_bytes", "9223372036854771712\n")
    _write(root, "cpu/cpu.cfs_quota_us", "-1\n")
    _write(root, "cpu/cpu.cfs_period_us", "100000\n")
    own = _membership(tmp_path, "4:cpu:/\n5:memory:/\n")
    assert num_usable_cpus(root, own) == ALL
    assert memory_limit_bytes(root, own) == psutil.virtual_memory().total


def test_unreadable_files_are_no_limit(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    _write(root, "cpu.max", "rubbish\n")
    _write(root, "memory.max", "also rubbish\n")
    own = _membership(tmp_path, "0::/not/here\nnonsense\n")
    assert num_usable_cpus(root, own) == ALL
    assert memory_limit_bytes(root, own) == psutil.virtual_memory().total
    assert num_usable_cpus(root, tmp_path / "missing") == ALL


def test_path_that_climbs_out_is_harmless(tmp_path: Path) -> None:
    own = _membership(tmp_path, "0::/../../etc\n")
    assert num_usable_cpus(tmp_path, own) == ALL
