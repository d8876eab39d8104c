"""What this process may use of the machine: processors by quota and memory by limit, never by what
is built in."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from ai_model.control_group import MEMBERSHIP, ROOT, own_groups
from ai_model.kernel_file import NO_LIMIT


def num_usable_cpus(root: Path = ROOT, membership: Path = MEMBERSHIP) -> int:
    """Return how many threads this process can really run at once, at least 1.

    The smallest of the scheduler affinity and the CPU quota of this process's control group and its
    ancestors (v2 ``cpu.max``, v1 ``cpu.cfs_quota_us``). A quota of 1.5 CPUs counts as 1 thread.
    """
    limits = [float(len(os.sched_getaffinity(0)))]
    for group in own_groups(root, membership, "cpu"):
        limits.append(_quota_v2(group.directory / "cpu.max"))
        limits.append(_quota_v1(group.directory))
    return max(1, int(min(limits)))


def memory_limit_bytes(root: Path = ROOT, membership: Path = MEMBERSHIP) -> int:
    """Return the bytes of memory this process may use: the smallest limit of its control groups, or
    all there is."""
    limits = [int(psutil.virtual_memory().total)]
    for group in own_groups(root, membership, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            limit = _read_number(group.directory / name)
            if limit is not None and 0 < limit < NO_LIMIT:
                limits.append(int(limit))
    return min(limits)


def available_memory_bytes() -> int:
    """Return the bytes the machine could still give without swapping, by the kernel's estimate."""
    return int(psutil.virtual_memory().available)


def _quota_v2(path: Path) -> float:
    fields = _read_words(path)
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


def _read_words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
