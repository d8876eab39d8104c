"""Machine, model, processes and pool together, as `resources info` and `monitor` show them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from ai_model.pool.status import PoolStatus
from apps.ai_pool import conf, services
from apps.ai_pool.doctor.disk import LOW_BYTES
from apps.ai_pool.resources.machine import Machine, this_machine
from apps.ai_pool.resources.site_process import SiteProcess, site_processes
from apps.ai_pool.server_lock import NAME

TIGHT = 0.9
"""Share of the memory limit from which on memory is called tight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNeed:
    """What the chosen model and profile take when everything is full, in bytes."""

    title: str
    path: str
    profile: str
    num_instances: int
    n_ctx: int
    num_threads: int
    weights_bytes: int
    instances_bytes: int
    parked_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One look at everything."""

    machine: Machine
    model: ModelNeed | None
    """None without a usable model; ``fault`` then says why."""
    fault: str
    processes: tuple[SiteProcess, ...]
    pool: PoolStatus

    @property
    def taken_bytes(self) -> int:
        """Memory of all our processes together."""
        return sum(process.memory_bytes for process in self.processes)

    @property
    def warnings(self) -> list[str]:
        """What is short, a sentence each."""
        found = []
        limit = self.machine.memory_limit_bytes
        if self.taken_bytes > TIGHT * limit:
            found.append("Corral takes nearly all the memory it may use.")
        if self.machine.available_bytes < (1 - TIGHT) * self.machine.memory_bytes:
            found.append("The machine has hardly any memory left.")
        for disk in self.machine.disks:
            if disk.free_bytes < LOW_BYTES:
                found.append(f"The disk of {disk.path} is nearly full.")
        return found

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "machine": asdict(self.machine),
            "model": None if self.model is None else asdict(self.model),
            "fault": self.fault,
            "processes": [asdict(process) for process in self.processes],
            "taken_bytes": self.taken_bytes,
            "pool": {
                "state": str(self.pool.state),
                "instances": self.pool.num_instances,
                "running": self.pool.num_running,
                "waiting": self.pool.num_waiting,
                "decode_tok_s": self.pool.decode_tok_s,
                "pressure": self.pool.memory.pressure,
                "level": self.pool.memory.level,
            },
            "warnings": self.warnings,
        }


def look() -> Use:
    """Look at everything; takes a fraction of a second."""
    model, fault = _model_need()
    weights_dir = conf.model_store().weights_dir
    return Use(
        machine=this_machine(_places(Path(settings.CORRAL_VAR_DIR), weights_dir)),
        model=model,
        fault=fault,
        processes=tuple(own_processes()),
        pool=pool_now(),
    )


def own_processes() -> Sequence[SiteProcess]:
    """Return the processes of this site."""
    try:
        pool_lock = conf.lock_path(conf.socket_path())
    except conf.ImpossibleSetting:
        pool_lock = conf.lock_path()
    return site_processes(Path(settings.CORRAL_VAR_DIR) / NAME, pool_lock)


def pool_now() -> PoolStatus:
    """Return how the pool is doing; 1.5 s at most."""
    return asyncio.run(services.pool_status())


def _places(*directories: Path) -> tuple[Path, ...]:
    """One directory for each disk."""
    places: dict[int, Path] = {}
    for directory in directories:
        nearest = next(path for path in (directory, *directory.parents) if path.exists())
        places.setdefault(nearest.stat().st_dev, directory)
    return tuple(places.values())


def _model_need() -> tuple[ModelNeed | None, str]:
    try:
        plan = conf.pool_plan()
    except ValueError as error:
        return None, str(error)
    config, info = plan.config, plan.info
    need = ModelNeed(
        title=f"{info.title} {info.quant}".strip(),
        path=str(plan.chosen.path),
        profile=plan.profile.name,
        num_instances=config.max_instances,
        n_ctx=config.n_ctx,
        num_threads=config.num_threads,
        weights_bytes=info.size_bytes,
        instances_bytes=info.kv_bytes_per_token * config.n_ctx * config.max_instances,
        parked_bytes=config.parked_bytes,
    )
    return need, ""
