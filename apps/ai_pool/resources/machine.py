"""What this machine gives a process: processors by quota, memory by limit, room on the disks."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from ai_model.hardware import available_memory_bytes, memory_limit_bytes, num_usable_cpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The disk below one of our directories, in bytes."""

    path: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine at one moment; sizes in bytes."""

    num_cpus: int
    """Processors that are built in."""
    num_usable_cpus: int
    """Those that may be used at once, by affinity and CPU quota."""
    load_1_min: float
    memory_bytes: int
    memory_limit_bytes: int
    """The smallest limit of the control groups, or all there is."""
    available_bytes: int
    """What could be had without swapping."""
    swap_bytes: int
    swap_used_bytes: int
    disks: tuple[Disk, ...]


def this_machine(directories: tuple[Path, ...]) -> Machine:
    """Look at the machine, and at the disks below ``directories``."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Machine(
        num_cpus=os.cpu_count() or 1,
        num_usable_cpus=num_usable_cpus(),
        load_1_min=os.getloadavg()[0],
        memory_bytes=memory.total,
        memory_limit_bytes=memory_limit_bytes(),
        available_bytes=available_memory_bytes(),
        swap_bytes=swap.total,
        swap_used_bytes=swap.used,
        disks=tuple(_disk(directory) for directory in directories),
    )


def _disk(directory: Path) -> Disk:
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    usage = shutil.disk_usage(nearest)
    return Disk(path=str(directory), total_bytes=usage.total, free_bytes=usage.free)
