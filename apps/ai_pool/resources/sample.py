"""What happened between two looks at machine and processes: one line of `resources monitor`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from ai_model.hardware import available_memory_bytes
from ai_model.pool.status import PoolStatus
from apps.ai_pool.resources.site_process import Kind, SiteProcess
from apps.ai_pool.resources.use import own_processes, pool_now
from apps.ai_pool.resources.wording import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Shares of processors are 1.0 for one processor, of the machine 1.0 for all."""

    at: float
    """Seconds since 1970."""
    machine_cpu: float
    web_cpu: float
    pool_cpu: float
    web_bytes: int
    pool_bytes: int
    available_bytes: int
    pressure: float | None
    level: str
    state: str
    num_running: int
    num_waiting: int
    tok_s: float

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def cells(self) -> tuple[str, ...]:
        """Return a line of the table."""
        pressure = "-" if self.pressure is None else f"{self.pressure:.0%} {self.level}".strip()
        return (
            clock(self.at),
            *(f"{share:.0%}" for share in (self.machine_cpu, self.web_cpu, self.pool_cpu)),
            *(
                f"{size / 1e6:,.0f}"
                for size in (self.web_bytes, self.pool_bytes, self.available_bytes)
            ),
            *(pressure, str(self.num_running), str(self.num_waiting), f"{self.tok_s:.1f}"),
        )


class Sampler:
    """Remembers the last look, to tell what happened since."""

    def __init__(self) -> None:
        psutil.cpu_percent()
        self._looked_at = time.monotonic()
        self._cpu_s = _cpu_seconds(own_processes())

    def sample(self) -> Sample:
        """Look again."""
        processes, pool = own_processes(), pool_now()
        now, cpu_s = time.monotonic(), _cpu_seconds(processes)
        seconds = max(1e-3, now - self._looked_at)
        shares = {
            kind: sum(
                cpu_s[key] - self._cpu_s.get(key, cpu_s[key]) for key in cpu_s if key[0] is kind
            )
            / seconds
            for kind in Kind
        }
        self._looked_at, self._cpu_s = now, cpu_s
        return _sample(processes, pool, shares)


def _sample(
    processes: Sequence[SiteProcess], pool: PoolStatus, shares: dict[Kind, float]
) -> Sample:
    sizes = {kind: sum(p.memory_bytes for p in processes if p.kind is kind) for kind in Kind}
    return Sample(
        at=time.time(),
        machine_cpu=psutil.cpu_percent() / 100,
        web_cpu=shares[Kind.WEB],
        pool_cpu=shares[Kind.POOL] + shares[Kind.KEEPER],
        web_bytes=sizes[Kind.WEB],
        pool_bytes=sizes[Kind.POOL] + sizes[Kind.KEEPER],
        available_bytes=available_memory_bytes(),
        pressure=pool.memory.pressure,
        level=pool.memory.level,
        state=str(pool.state),
        num_running=pool.num_running,
        num_waiting=pool.num_waiting,
        tok_s=pool.decode_tok_s,
    )


def _cpu_seconds(processes: Sequence[SiteProcess]) -> dict[tuple[Kind, int], float]:
    return {(process.kind, process.pid): process.cpu_s for process in processes}
