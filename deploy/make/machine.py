"""What this machine has free for compiling, a container's limits included."""

from __future__ import annotations

import os
from pathlib import Path

BYTES_PER_COMPILE_JOB = 700_000_000
CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


def num_compile_jobs(num_cpus: int, memory_bytes: int | None) -> int:
    """Return how many files to compile at once: each compiler may take 700 MB."""
    if memory_bytes is None:
        return max(1, num_cpus)
    return max(1, min(num_cpus, memory_bytes // BYTES_PER_COMPILE_JOB))


def usable_cpus() -> int:
    """Return the processors this process may use, a container's quota included."""
    affinity = getattr(os, "sched_getaffinity", None)
    num = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = _words(CGROUP / "cpu.max")
    if len(quota) == 2 and quota[0] != "max":
        num = min(num, int(quota[0]) // int(quota[1]))
    return max(1, num)


def free_memory() -> int | None:
    """Return the bytes that can still be taken, a container's limit included; None if unknown."""
    free: list[int] = []
    for line in _lines(MEMINFO):
        if line.startswith("MemAvailable:"):
            free.append(int(line.split()[1]) * 1024)
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limits, uses = _words(CGROUP / limit), _words(CGROUP / used)
        if limits and uses and limits[0].isdigit() and int(limits[0]) < 1 << 60:
            free.append(max(0, int(limits[0]) - int(uses[0])))
    return min(free) if free else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()
