"""What can be limited without any help of the system."""

from __future__ import annotations

import resource

import psutil

from ai_model.amount import say_amount
from ai_model.simulation.leftovers import end_all
from ai_model.simulation.machine import SmallMachine
from ai_model.simulation.processors import pin, say_pinned


class BareCage:
    """Processors by affinity, and the heap of every single process.

    By RLIMIT_DATA and not RLIMIT_AS: the address space counts mapped model files and what is only
    reserved, so the server would not even start.
    """

    has_group = False

    def __init__(self, machine: SmallMachine) -> None:
        self._machine = machine
        self._pid: int | None = None
        self._known: dict[int, psutil.Process] = {}
        self.kept: tuple[str, ...] = (
            say_pinned(machine),
            f"heap of each process {say_amount(machine.memory_bytes)}",
        )
        self.not_kept: tuple[str, ...] = (
            "Memory of all processes together and the file cache are not limited, so the model is "
            "never short of memory.",
            "Swap is not limited.",
        )
        if machine.num_cpus < machine.num_whole_cpus:
            self.not_kept += ("Less than a whole processor is not limited.",)

    def command(self, command: list[str]) -> list[str]:
        """See Cage."""
        return command

    def enter(self) -> None:
        """See Cage."""
        pin(self._machine)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = self._machine.memory_bytes
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    def settle(self, pid: int) -> None:
        """See Cage."""
        self._pid = pid
        self.pids()

    def pids(self) -> list[int]:
        """Return the command's processes as far as they were seen before their parent ended."""
        if self._pid is None:
            return []
        try:
            process = psutil.Process(self._pid)
            for child in (process, *process.children(recursive=True)):
                self._known.setdefault(child.pid, child)
        except psutil.Error:
            pass
        # psutil compares start times, so a number that was given to another process is not ours.
        self._known = {pid: child for pid, child in self._known.items() if _is_alive(child)}
        return list(self._known)

    def close(self) -> None:
        """See Cage."""
        end_all(self.pids)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
