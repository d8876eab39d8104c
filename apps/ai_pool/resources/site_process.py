"""The processes of this site, told from others by the locks they hold, and what each one takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from apps.ai_pool.resources.lock_holders import lock_holders


class Kind(StrEnum):
    """What a process is for."""

    WEB = "web"
    POOL = "pool"
    KEEPER = "keeper"
    """``manage.py runpool``, which looks after the pool process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProcess:
    """One process at one moment."""

    kind: Kind
    pid: int
    memory_bytes: int
    """Its own memory and its share of what it shares with others (PSS)."""
    is_share: bool
    """False: only the resident memory (RSS) could be read, which counts shared memory whole."""
    cpu_s: float
    """Processor time since it began."""
    started_at: float
    """Seconds since 1970."""
    num_threads: int


def site_processes(server_lock: Path, pool_lock: Path) -> list[SiteProcess]:
    """Return the processes of the site whose locks these are: web processes first, then the pool's.

    A pool process is a child of who holds the pool's lock.
    """
    web, keepers = lock_holders(server_lock), lock_holders(pool_lock)
    found = [_process(pid, Kind.WEB) for pid in sorted(web)]
    found += [_process(pid, Kind.KEEPER) for pid in sorted(keepers - web)]
    found += [_process(pid, Kind.POOL) for pid in sorted(_pool_pids(keepers))]
    return [process for process in found if process is not None]


def _pool_pids(parents: Iterable[int]) -> Iterator[int]:
    for parent in parents:
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(parent).children():
                with contextlib.suppress(psutil.Error):
                    if "ai_model.pool" in child.cmdline():
                        yield child.pid


def _process(pid: int, kind: Kind) -> SiteProcess | None:
    """What the process takes; None when it has ended meanwhile."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            memory_bytes, is_share = _memory_of(process)
            times = process.cpu_times()
            return SiteProcess(
                kind=kind,
                pid=pid,
                memory_bytes=memory_bytes,
                is_share=is_share,
                cpu_s=times.user + times.system,
                started_at=process.create_time(),
                num_threads=process.num_threads(),
            )
    except psutil.Error:
        return None


def _memory_of(process: psutil.Process) -> tuple[int, bool]:
    try:
        return int(process.memory_full_info().pss), True
    except (psutil.AccessDenied, AttributeError):
        # Another user's process, or a system that does not tell.
        return int(process.memory_info().rss), False
