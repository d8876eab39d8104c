"""Limits by systemd: its command line, and that it is not tried where it does not run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ai_model.simulation.cage import NoCage
from ai_model.simulation.machine import SmallMachine
from ai_model.simulation.systemd_cage import SystemdCage

MACHINE = SmallMachine(num_cpus=1.5, memory_bytes=2 << 30, swap_bytes=0)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "systemd-run"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return path


@pytest.mark.parametrize("uid", [0, 1000])
def test_command_line(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch, uid: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    cage = SystemdCage(MACHINE, running=tmp_path)
    line = cage.command(["manage.py", "serve"])
    assert line[:3] == [str(program), "--scope", "--quiet"]
    assert line[-3:] == ["--", "manage.py", "serve"]
    limits = {word.removeprefix("--property=") for word in line if word.startswith("--property=")}
    assert limits == {f"MemoryMax={2 << 30}", "CPUQuota=150%", "MemorySwapMax=0"}
    assert ("--user" in line) == (uid != 0)
    assert cage.pids() == []
    cage.close()


def test_not_where_systemd_does_not_run(tmp_path: Path, program: Path) -> None:
    with pytest.raises(NoCage, match="systemd"):
        SystemdCage(MACHINE, running=tmp_path / "missing")
    program.unlink()
    with pytest.raises(NoCage, match="systemd"):
        SystemdCage(MACHINE, running=tmp_path)
