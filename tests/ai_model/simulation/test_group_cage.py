"""Control groups for one command: what is written where, and that nothing stays behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ai_model.simulation import group_cage
from ai_model.simulation.cage import NoCage, membership
from ai_model.simulation.group_cage import GroupCage
from ai_model.simulation.machine import SmallMachine
from tests.ai_model.live_group import MIB, live_group

MACHINE = SmallMachine(num_cpus=1.5, memory_bytes=2 << 30, swap_bytes=1 << 30)
NAME = f"corral-simulate-{os.getpid()}"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What was written to which file; a directory of a test has none of the kernel's."""
    found: dict[str, str] = {}

    def write(path: Path, text: str) -> None:
        found[f"{path.parent.parent.name}/{path.name}"] = text

    monkeypatch.setattr(group_cage, "_write", write)
    return found


def _own(tmp_path: Path, text: str) -> Path:
    (tmp_path / "own").write_text(text)
    return tmp_path / "own"


def test_version_2(tmp_path: Path, written: dict[str, str]) -> None:
    root = tmp_path / "cgroup"
    (root / "user").mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpuset cpu memory\n")
    (root / "cgroup.subtree_control").write_text("memory\n")
    cage = GroupCage(MACHINE, root=root, membership=_own(tmp_path, "0::/user\n"))
    assert (root / NAME).is_dir()
    assert written == {
        f"{tmp_path.name}/cgroup.subtree_control": "+cpu",
        "cgroup/memory.max": str(2 << 30),
        "cgroup/memory.swap.max": str(1 << 30),
        "cgroup/cpu.max": "150000 100000",
    }
    assert "memory 2.00 GiB by control group v2" in cage.kept and cage.not_kept == ()
    cage.close()
    cage.close()
    assert not (root / NAME).exists()


def test_version_1(tmp_path: Path, written: dict[str, str]) -> None:
    root = tmp_path / "cgroup"
    for name in ("memory/box", "cpu"):
        (root / name).mkdir(parents=True)
    own = _own(tmp_path, "5:memory:/box\n4:cpu:/\n0::/\n")
    cage = GroupCage(MACHINE, root=root, membership=own)
    assert written == {
        "memory/memory.limit_in_bytes": str(2 << 30),
        "memory/memory.memsw.limit_in_bytes": str(3 << 30),
        "cpu/cpu.cfs_period_us": "100000",
        "cpu/cpu.cfs_quota_us": "150000",
    }
    assert (root / "memory" / NAME).is_dir() and (root / "cpu" / NAME).is_dir()
    cage.close()
    assert not list(root.glob(f"*/{NAME}"))


def test_no_control_groups(tmp_path: Path) -> None:
    with pytest.raises(NoCage, match="memory"):
        GroupCage(MACHINE, root=tmp_path, membership=tmp_path / "missing")


def test_nothing_stays_when_a_limit_cannot_be_set(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    (root / "memory").mkdir(parents=True)
    with pytest.raises(OSError, match="limit_in_bytes"):
        GroupCage(MACHINE, root=root, membership=_own(tmp_path, "5:memory:/\n"))
    assert list((root / "memory").iterdir()) == []


def test_without_quota_it_says_so(tmp_path: Path, written: dict[str, str]) -> None:
    root = tmp_path / "cgroup"
    (root / "memory").mkdir(parents=True)
    cage = GroupCage(MACHINE, root=root, membership=_own(tmp_path, "5:memory:/\n"))
    assert "whole processor is not limited" in cage.not_kept[0]
    cage.close()


def test_groups_of_killed_runs_are_removed(tmp_path: Path, written: dict[str, str]) -> None:
    root = tmp_path / "cgroup"
    for name in ("corral-simulate-999999999", "corral-simulate-1", "corral-simulate-x", "other"):
        (root / "memory" / name).mkdir(parents=True)
    GroupCage(MACHINE, root=root, membership=_own(tmp_path, "5:memory:/\n")).close()
    left = sorted(path.name for path in (root / "memory").iterdir())
    assert left == ["corral-simulate-1", "corral-simulate-x", "other"]


def test_real_group_limits_and_ends_what_is_left() -> None:
    with live_group(64 * MIB) as cage:
        code = (
            "import os, subprocess, sys\n"
            "left = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL)\n"
            "print(left.pid, len(os.sched_getaffinity(0)), flush=True)\n"
            "held = bytearray(200 << 20)\n"
        )
        child = subprocess.run(
            [sys.executable, "-c", code],
            preexec_fn=cage.enter,
            stdout=subprocess.PIPE,
            timeout=30,
            check=False,
        )
        left, num_cpus = map(int, child.stdout.split())
        assert child.returncode == -9, "killed at its limit"
        assert num_cpus == 1
        assert cage.pids() == [left]
        assert "corral-simulate" in membership(left).read_text()
        cage.close()
        assert cage.pids() == [] and not Path(f"/proc/{left}/exe").exists()
