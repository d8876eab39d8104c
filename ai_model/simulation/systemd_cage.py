"""Limits by systemd, which may make control groups where this user may not."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from ai_model.amount import say_amount
from ai_model.simulation.cage import NoCage, membership
from ai_model.simulation.leftovers import end_all
from ai_model.simulation.machine import SmallMachine
from ai_model.simulation.processors import pin, say_pinned

_RUNNING = Path("/run/systemd/system")
_SETTLE_S = 5.0


class SystemdCage:
    """A scope of systemd made for one command. Raises NoCage where there is no systemd."""

    has_group = True
    not_kept: tuple[str, ...] = ()

    def __init__(self, machine: SmallMachine, *, running: Path = _RUNNING) -> None:
        found = shutil.which("systemd-run")
        if found is None or not running.is_dir():
            raise NoCage("systemd does not run here")
        self._machine = machine
        self._program = found
        self._unit = f"corral-simulate-{os.getpid()}.scope"
        self._pid: int | None = None
        self._group: Path | None = None
        self.kept: tuple[str, ...] = (
            say_pinned(machine),
            f"memory {say_amount(machine.memory_bytes)}, processor time {machine.num_cpus:g} CPU "
            "by systemd",
        )
        if machine.swap_bytes is not None:
            self.kept += (f"swap {say_amount(machine.swap_bytes)}",)

    def command(self, command: list[str]) -> list[str]:
        """See Cage."""
        limits = [
            f"MemoryMax={self._machine.memory_bytes}",
            f"CPUQuota={self._machine.num_cpus * 100:.0f}%",
        ]
        if self._machine.swap_bytes is not None:
            limits.append(f"MemorySwapMax={self._machine.swap_bytes}")
        return [
            *(self._program, "--scope", "--quiet", "--collect", f"--unit={self._unit}"),
            *(["--user"] if os.geteuid() else []),
            *(f"--property={limit}" for limit in limits),
            *("--", *command),
        ]

    def enter(self) -> None:
        """See Cage."""
        pin(self._machine)

    def settle(self, pid: int) -> None:
        """See Cage."""
        self._pid = pid
        until = time.monotonic() + _SETTLE_S
        while time.monotonic() < until:
            try:
                lines = membership(pid).read_text().splitlines()
            except OSError:
                return
            for line in lines:
                controllers, _, path = line.partition(":")[2].partition(":")
                if path.endswith(self._unit) and controllers in ("", "memory"):
                    base = Path("/sys/fs/cgroup") / controllers
                    self._group = base / path.lstrip("/")
                    return
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """See Cage."""
        if self._group is None:
            return []
        try:
            words = (self._group / "cgroup.procs").read_text().split()
        except OSError:
            return []
        return [int(word) for word in words if word.isdecimal() and word != "0"]

    def close(self) -> None:
        """See Cage; systemd removes an empty scope by itself."""
        end_all(self.pids)
