"""What this process may use of the machine: processors by quota and memory by limit, never by what
is built in."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

CGROUP_ROOT = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60


def num_usable_cpus(root: Path = CGROUP_ROOT, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Return how many threads this process can really run at once, at least 1.

    The smallest of the scheduler affinity and the CPU quota of this process's control group and its
    ancestors (v2 ``cpu.max``, v1 ``cpu.cfs_quota_us``). A quota of 1.5 CPUs counts as 1 thread.
    """
    limits = [float(len(os.sched_getaffinity(0)))]
    for directory in _own_groups(root, membership, "cpu"):
        limits.append(_quota_v2(directory / "cpu.max"))
        limits.append(_quota_v1(directory))
    return max(1, int(min(limits)))


def memory_limit_bytes(
    root: Path = CGROUP_ROOT, membership: Path = Path("/proc/self/cgroup")
) -> int:
    """Return the bytes of memory this process may use: the smallest limit of its control groups, or
    all there is."""
    limits = [int(psutil.virtual_memory().total)]
    for directory in _own_groups(root, membership, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            limit = _read_number(directory / name)
            if limit is not None and 0 < limit < _NO_LIMIT:
                limits.append(int(limit))
    return min(limits)


def available_memory_bytes() -> int:
    """Return the bytes the machine could still give without swapping, by the kernel's estimate."""
    return int(psutil.virtual_memory().available)


def _own_groups(root: Path, membership: Path, controller: str) -> list[Path]:
    """Return this process's group for ``controller`` and all its ancestors, v1 and v2 alike,
    outermost last."""
    directories: list[Path] = []
    for line in _read_lines(membership):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        base = root / controllers if controllers else root
        if controllers and not base.is_dir():
            base = root / controller
        group = base / path.lstrip("/")
        # In a container this path may not exist below the mount: then the mount is the group.
        while group != base and base in group.parents:
            directories.append(group)
            group = group.parent
        directories.append(base)
    return [directory for directory in directories if directory.is_dir()]


def _quota_v2(path: Path) -> float:
    fields = " ".join(_read_lines(path)).split()
    if len(fields) != 2 or fields[0] == "max":
        return float("inf")
    try:
        return float(fields[0]) / float(fields[1])
    except (ValueError, ZeroDivisionError):
        return float("inf")


def _quota_v1(directory: Path) -> float:
    quota = _read_number(directory / "cpu.cfs_quota_us")
    period = _read_number(directory / "cpu.cfs_period_us")
    if quota is None or not period or quota <= 0:
        return float("inf")
    return quota / period


def _read_number(path: Path) -> float | None:
    try:
        return float(path.read_text().strip())
    except (OSError, ValueError):
        return None


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
