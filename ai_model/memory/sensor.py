"""Reads how tight memory is: control groups v2 and v1 or the machine, and the kernel's pressure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from ai_model.control_group import ROOT, ControlGroup, own_groups
from ai_model.kernel_file import UnreadableFile
from ai_model.memory.group_memory import GroupMemory, read_group, read_limit
from ai_model.memory.host import HostMemory, read_host, read_host_refaults
from ai_model.memory.reading import MemoryReading, Source
from ai_model.memory.refaults import RefaultRate
from ai_model.memory.shares import Bound, Shares, shares
from ai_model.memory.stall import Stall, read_stall
from ai_model.memory.weights import Weights

logger = logging.getLogger(__name__)

KEEP_S = 5.0
"""How long the last value stands in for one that cannot be read."""


class MemorySensor:
    """Reads memory for one owner; not thread-safe (it keeps the last reading for rates).

    ``weight_files`` names the model files that live processes map; none when they read them into
    their heap (no mmap) or pin them (mlock), for then they are unreclaimable already.
    ``membership`` is the ``cgroup`` file of another process, to read the groups of that one.
    """

    def __init__(
        self,
        *,
        weight_files: Callable[[], Iterable[Path]],
        root: Path = ROOT,
        proc: Path = Path("/proc"),
        membership: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = root
        self._proc = proc
        self._membership = membership or proc / "self" / "cgroup"
        self._clock = clock
        self._weights = Weights(weight_files, clock)
        self._refaults = RefaultRate()
        self._groups: tuple[ControlGroup, ...] = ()
        self._last: MemoryReading | None = None
        self._last_at = float("-inf")
        self._is_failing = False
        self.stall_file: Path | None = proc / "pressure" / "memory"
        """Where the kernel told the pressure at the last reading."""

    def read(self) -> MemoryReading:
        """Return the state of memory now; never raises, never waits."""
        try:
            reading = self._read()
        except Exception as error:
            if not self._is_failing:
                logger.exception("Memory could not be read.")
            self._is_failing = True
            return self._stand_in(f"Memory cannot be read ({type(error).__name__}).")
        self._is_failing = False
        return reading

    def _read(self) -> MemoryReading:
        weights_bytes = self._weights.num_bytes()
        try:
            host = read_host(self._proc)
        except UnreadableFile as error:
            return self._stand_in(f"{error}.")
        try:
            reading = self._measure(host, weights_bytes)
        except UnreadableFile as error:
            # Perhaps this process was moved to another group.
            self._groups = ()
            alarm = f"{error}; the machine is measured instead."
            return self._kept(alarm) or replace(self._of_host(host, weights_bytes), alarm=alarm)
        self._last, self._last_at = reading, self._clock()
        return reading

    def _kept(self, alarm: str) -> MemoryReading | None:
        if self._last is None or self._clock() - self._last_at > KEEP_S:
            return None
        return replace(self._last, is_fresh=False, alarm=alarm)

    def _stand_in(self, alarm: str) -> MemoryReading:
        return self._kept(alarm) or MemoryReading(is_fresh=False, alarm=alarm)

    def _measure(self, host: HostMemory, weights_bytes: int) -> MemoryReading:
        if not self._groups:
            self._groups = tuple(own_groups(self._root, self._membership, "memory"))
        limits = {group: read_limit(group) for group in self._groups}
        groups = {
            group: (limit, read_group(group))
            for group, limit in limits.items()
            if limit < host.total_bytes
        }
        if not groups:
            return self._of_host(host, weights_bytes)
        bounds = [Bound(limit, memory.unreclaimable_bytes) for limit, memory in groups.values()]
        tightest = min(groups, key=lambda group: limits[group])
        return self._of_group(
            tightest,
            groups[tightest][1],
            limit_bytes=limits[tightest],
            weights_bytes=weights_bytes,
            full=shares(bounds, _bound(host), weights_bytes),
            host=host,
        )

    def _of_group(
        self,
        group: ControlGroup,
        memory: GroupMemory,
        *,
        limit_bytes: int,
        weights_bytes: int,
        full: Shares,
        host: HostMemory,
    ) -> MemoryReading:
        stall = self._stall(group)
        return MemoryReading(
            limit_bytes=limit_bytes,
            unreclaimable_bytes=memory.unreclaimable_bytes,
            weights_bytes=weights_bytes,
            p_need=full.p_need,
            p_kill=full.p_kill,
            p_host=full.p_host,
            p=full.p,
            psi_some_avg10=stall.some_avg10,
            psi_full_avg10=stall.full_avg10,
            num_high_events=memory.num_high_events,
            num_max_events=memory.num_max_events,
            num_oom_kills=memory.num_oom_kills,
            refault_bytes_s=self._refaults.bytes_s(
                group.directory, memory.refault_pages, self._clock()
            ),
            swap_used_share=_swap_used_share(
                memory.swap_bytes, min(memory.swap_limit_bytes, host.swap_total_bytes)
            ),
            source=Source.V2 if group.version == 2 else Source.V1,
        )

    def _of_host(self, host: HostMemory, weights_bytes: int) -> MemoryReading:
        full = shares((), _bound(host), weights_bytes)
        stall = self._stall(None)
        return MemoryReading(
            limit_bytes=host.total_bytes,
            unreclaimable_bytes=host.unreclaimable_bytes,
            weights_bytes=weights_bytes,
            p_need=full.p_need,
            p_kill=full.p_kill,
            p_host=full.p_host,
            p=full.p,
            psi_some_avg10=stall.some_avg10,
            psi_full_avg10=stall.full_avg10,
            refault_bytes_s=self._refaults.bytes_s(
                self._proc, read_host_refaults(self._proc), self._clock()
            ),
            swap_used_share=_swap_used_share(
                host.swap_total_bytes - host.swap_free_bytes, host.swap_total_bytes
            ),
        )

    def _stall(self, group: ControlGroup | None) -> Stall:
        if group is not None and group.version == 2:
            file = group.directory / "memory.pressure"
            stall = read_stall(file)
            if stall.some_avg10 is not None:
                self.stall_file = file
                return stall
        # Version 1 has none of its own: the machine's is the next best.
        self.stall_file = file = self._proc / "pressure" / "memory"
        return read_stall(file)


def _bound(host: HostMemory) -> Bound:
    return Bound(host.total_bytes, host.unreclaimable_bytes)


def _swap_used_share(used_bytes: int, total_bytes: int) -> float | None:
    return max(0, used_bytes) / total_bytes if total_bytes > 0 else None
