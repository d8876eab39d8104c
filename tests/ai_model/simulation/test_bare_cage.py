"""Limits without control groups, and the honest list of what they are not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ai_model.simulation.bare_cage import BareCage
from ai_model.simulation.machine import SmallMachine

MACHINE = SmallMachine(num_cpus=0.5, memory_bytes=256 << 20)


def test_heap_and_processors_of_a_process() -> None:
    cage = BareCage(MACHINE)
    code = (
        "import os\n"
        "print(len(os.sched_getaffinity(0)), len(bytearray(32 << 20)) >> 20)\n"
        "bytearray(512 << 20)\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=cage.enter,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert child.stdout.split() == [b"1", b"32"]
    assert b"MemoryError" in child.stderr and child.returncode == 1


def test_says_what_it_cannot_do() -> None:
    cage = BareCage(MACHINE)
    assert not cage.has_group and "256 MiB" in cage.kept[1]
    assert "file cache" in cage.not_kept[0] and "whole processor" in cage.not_kept[-1]


def test_ends_children_that_outlive_the_command() -> None:
    cage = BareCage(MACHINE)
    with subprocess.Popen(["sh", "-c", "sleep 60 & wait"], preexec_fn=cage.enter) as command:
        cage.settle(command.pid)
        while len(found := cage.pids()) < 2:
            pass
        command.kill()
        command.wait(timeout=10)
        assert command.pid in found and cage.pids() == [pid for pid in found if pid != command.pid]
        cage.close()
    left = [pid for pid in found if _is_running(pid)]
    assert left == []


def _is_running(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
