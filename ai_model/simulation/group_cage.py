"""Limits by control groups of the kernel, version 2 or 1."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from ai_model.amount import say_amount
from ai_model.control_group import MEMBERSHIP, ROOT, ControlGroup, own_groups
from ai_model.simulation.cage import NoCage
from ai_model.simulation.leftovers import end_all
from ai_model.simulation.machine import SmallMachine
from ai_model.simulation.processors import pin, say_pinned

_PREFIX = "corral-simulate-"
_PERIOD_US = 100_000
_REMOVE_S = 3.0


class GroupCage:
    """A control group made for one command. Raises NoCage when it cannot be made."""

    has_group = True

    def __init__(
        self, machine: SmallMachine, *, root: Path = ROOT, membership: Path = MEMBERSHIP
    ) -> None:
        self._machine = machine
        self._memory: Path | None = None
        self._made: list[Path] = []
        self._kept = [say_pinned(machine)]
        self._not_kept: list[str] = []
        try:
            self._limit_memory(_parents(root, membership, "memory"))
            self._limit_cpu(_parents(root, membership, "cpu"))
        except BaseException:
            self.close()
            raise

    @property
    def kept(self) -> tuple[str, ...]:
        """See Cage."""
        return tuple(self._kept)

    @property
    def not_kept(self) -> tuple[str, ...]:
        """See Cage."""
        return tuple(self._not_kept)

    def command(self, command: list[str]) -> list[str]:
        """See Cage."""
        return command

    def enter(self) -> None:
        """See Cage."""
        for directory in self._made:
            # 0 is whoever writes it.
            _write(directory / "cgroup.procs", "0")
        pin(self._machine)

    def settle(self, pid: int) -> None:
        """It went in before it became the command."""

    def pids(self) -> list[int]:
        """See Cage."""
        try:
            words = (self._memory / "cgroup.procs").read_text().split() if self._memory else []
        except OSError:
            return []
        # 0 is a process that cannot be seen from in here.
        return [int(word) for word in words if word.isdecimal() and word != "0"]

    def close(self) -> None:
        """See Cage."""
        end_all(self.pids)
        until = time.monotonic() + _REMOVE_S
        while self._made:
            try:
                self._made[-1].rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                # Processes that just ended keep the group busy for a moment.
                if time.monotonic() >= until:
                    return
                time.sleep(0.05)
                continue
            self._made.pop()

    def _limit_memory(self, parents: list[ControlGroup]) -> None:
        parent, self._memory = self._make(parents, "memory")
        size, swap = self._machine.memory_bytes, self._machine.swap_bytes
        if parent.version == 2:
            _write(self._memory / "memory.max", str(size))
        else:
            _write(self._memory / "memory.limit_in_bytes", str(size))
        self._kept.append(f"memory {say_amount(size)} by control group v{parent.version}")
        if swap is None:
            return
        try:
            if parent.version == 2:
                _write(self._memory / "memory.swap.max", str(swap))
            else:
                # Version 1 limits both together.
                _write(self._memory / "memory.memsw.limit_in_bytes", str(size + swap))
        except OSError as error:
            if swap or _has_swap():
                self._not_kept.append(f"Swap is not limited ({error.strerror}).")
                return
        self._kept.append(f"swap {say_amount(swap)}")

    def _limit_cpu(self, parents: list[ControlGroup]) -> None:
        quota = round(self._machine.num_cpus * _PERIOD_US)
        try:
            parent, directory = self._make(parents, "cpu")
            if parent.version == 2:
                _write(directory / "cpu.max", f"{quota} {_PERIOD_US}")
            else:
                _write(directory / "cpu.cfs_period_us", str(_PERIOD_US))
                _write(directory / "cpu.cfs_quota_us", str(quota))
        except (NoCage, OSError) as error:
            if self._machine.num_cpus < self._machine.num_whole_cpus:
                self._not_kept.append(f"Less than a whole processor is not limited ({error}).")
            return
        self._kept.append(f"processor time {self._machine.num_cpus:g} CPU by quota")

    def _make(self, parents: list[ControlGroup], controller: str) -> tuple[ControlGroup, Path]:
        why = "the kernel shows none here"
        for parent in parents:
            directory = parent.directory / f"{_PREFIX}{os.getpid()}"
            try:
                if parent.version == 2:
                    _enable(parent.directory, controller)
                if directory not in self._made:
                    _remove_forgotten(parent.directory)
                    directory.mkdir()
                    self._made.append(directory)
            except OSError as error:
                why = f"{error.strerror}: {parent.directory}"
                continue
            return parent, directory
        raise NoCage(f"no control group for {controller} can be made ({why})")


def _parents(root: Path, membership: Path, controller: str) -> list[ControlGroup]:
    """Return where a group could be made, outermost first: groups with processes in them may not
    have children in version 2."""
    groups = reversed(own_groups(root, membership, controller))
    return [group for group in groups if group.version == 1 or _offers(group, controller)]


def _offers(group: ControlGroup, controller: str) -> bool:
    return controller in _words(group.directory / "cgroup.controllers")


def _enable(directory: Path, controller: str) -> None:
    if controller not in _words(directory / "cgroup.subtree_control"):
        _write(directory / "cgroup.subtree_control", f"+{controller}")


def _remove_forgotten(parent: Path) -> None:
    """Remove the groups of earlier runs that were killed before they could do it."""
    for directory in parent.glob(f"{_PREFIX}*"):
        found = re.fullmatch(rf"{_PREFIX}(\d+)", directory.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            # Not empty: what was started there still runs, and is not ours to end.
            with contextlib.suppress(OSError):
                directory.rmdir()


def _has_swap() -> bool:
    # The first line is a heading.
    return len(Path("/proc/swaps").read_text().splitlines()) > 1


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _write(path: Path, text: str) -> None:
    # Not Path.write_text, which would make a file where the kernel has none.
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
