"""What `resources` says, as rows and lines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from ai_model.pool.status import PoolStatus
from apps.ai_pool.resources.machine import Machine
from apps.ai_pool.resources.site_process import Kind, SiteProcess
from apps.ai_pool.resources.use import ModelNeed, Use

NAMES = {
    Kind.WEB: "web process",
    Kind.POOL: "pool process",
    Kind.KEEPER: "keeper of the pool",
}
PROCESS_HEADINGS = ("Process", "PID", "Memory", "CPU time", "Threads", "Up")
MONITOR_HEADINGS = (
    *("time", "cpu", "web cpu", "pool cpu", "web MB", "pool MB", "free MB"),
    *("pressure", "running", "waiting", "tok/s"),
)


def machine_rows(machine: Machine) -> list[tuple[str, str]]:
    """What the machine has."""
    usable = machine.num_usable_cpus
    quota = "all usable" if usable == machine.num_cpus else f"{usable} usable (quota or affinity)"
    limit = (
        "no limit below"
        if machine.memory_limit_bytes >= machine.memory_bytes
        else f"limit {mb(machine.memory_limit_bytes)}"
    )
    swap = (
        f"{mb(machine.swap_used_bytes)} of {mb(machine.swap_bytes)} used"
        if machine.swap_bytes
        else "none"
    )
    return [
        ("Processors", f"{machine.num_cpus}, {quota}; load {machine.load_1_min:.1f}"),
        (
            "Memory",
            f"{mb(machine.memory_bytes)}, {limit}; {mb(machine.available_bytes)} available",
        ),
        ("Swap", swap),
        *(
            ("Disk", f"{mb(disk.free_bytes)} of {mb(disk.total_bytes)} free below {disk.path}")
            for disk in machine.disks
        ),
    ]


def model_rows(model: ModelNeed | None, fault: str) -> list[tuple[str, str]]:
    """What the chosen model takes."""
    if model is None:
        return [("Model", fault)]
    threads = f"{model.num_threads} thread{'s' if model.num_threads > 1 else ''}"
    return [
        ("Model", f"{model.title} ({model.path})"),
        (
            "Profile",
            f"{model.profile}: {_instances(model.num_instances)} of {model.n_ctx} tokens, "
            f"{threads}",
        ),
        (
            "Full",
            f"weights {mb(model.weights_bytes)}, instances {mb(model.instances_bytes)}, "
            f"parked {mb(model.parked_bytes)}",
        ),
    ]


def pool_row(pool: PoolStatus) -> tuple[str, str]:
    """How the pool is doing."""
    if not pool.num_instances:
        return ("Pool", f"{pool.state}. {pool.reason}".strip())
    words = f"{pool.state}, {pool.num_running} running, {pool.num_waiting} waiting"
    if pool.memory.pressure is not None:
        words += f"; memory {pool.memory.pressure:.0%}, level {pool.memory.level or 'unknown'}"
    return ("Pool", words)


def process_rows(processes: Sequence[SiteProcess], now: float) -> list[tuple[str, ...]]:
    """A row for each process; a + behind memory says that shared pages are counted whole."""
    return [
        (
            NAMES[one.kind],
            str(one.pid),
            mb(one.memory_bytes) + ("" if one.is_share else "+"),
            _span(one.cpu_s),
            str(one.num_threads),
            _span(now - one.started_at),
        )
        for one in processes
    ]


def together(use: Use) -> str:
    """What all processes take."""
    if not use.processes:
        return "No process of this site runs here, as far as this user can see."
    share = use.taken_bytes / use.machine.memory_limit_bytes
    part = f"{share:.0%}" if share >= 0.01 else "less than 1%"
    return f"Together {mb(use.taken_bytes)}, {part} of what may be used."


def mb(num_bytes: float) -> str:
    """Bytes for people."""
    return f"{num_bytes / 1e6:,.0f} MB" if num_bytes < 1e10 else f"{num_bytes / 1e9:,.1f} GB"


def clock(moment: float | None = None) -> str:
    """The time of day, of this machine."""
    return datetime.fromtimestamp(time.time() if moment is None else moment).strftime("%H:%M:%S")


def _instances(number: int) -> str:
    return f"{number} instance{'s' if number > 1 else ''}"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0.0, seconds):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"
