"""Machines and processes as tests of `resources` need them."""

from __future__ import annotations

from typing import Any

from apps.ai_pool.resources.machine import Disk, Machine
from apps.ai_pool.resources.site_process import Kind, SiteProcess
from apps.ai_pool.resources.use import ModelNeed, Use
from tests.apps.ai_pool.conftest import READY

MB = 1_000_000


def machine(**fields: Any) -> Machine:
    usual = {
        "num_cpus": 4,
        "num_usable_cpus": 2,
        "load_1_min": 0.5,
        "memory_bytes": 4000 * MB,
        "memory_limit_bytes": 2000 * MB,
        "available_bytes": 1500 * MB,
        "swap_bytes": 0,
        "swap_used_bytes": 0,
        "disks": (Disk(path="/var", total_bytes=9000 * MB, free_bytes=5000 * MB),),
    }
    return Machine(**(usual | fields))


def process(kind: Kind = Kind.WEB, **fields: Any) -> SiteProcess:
    usual = {
        "kind": kind,
        "pid": 4711,
        "memory_bytes": 95 * MB,
        "is_share": True,
        "cpu_s": 3.0,
        "started_at": 1000.0,
        "num_threads": 6,
    }
    return SiteProcess(**(usual | fields))


def use(**fields: Any) -> Use:
    model = ModelNeed(
        title="TinyLlama Q5_K_M",
        path="/models/tiny.gguf",
        profile="small",
        num_instances=1,
        n_ctx=1024,
        num_threads=1,
        weights_bytes=783 * MB,
        instances_bytes=23 * MB,
        parked_bytes=50 * MB,
    )
    usual = {
        "machine": machine(),
        "model": model,
        "fault": "",
        "processes": (process(), process(Kind.POOL, pid=4712, memory_bytes=900 * MB)),
        "pool": READY,
    }
    return Use(**(usual | fields))
