"""How much memory a pool needs: the weights once, and for every instance its own context."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from apps.ai_pool.capacity_plan.figures import Figures

MB, GB = 1024 * 1024, 1024 * 1024 * 1024
POOL_BYTES = 200 * MB
"""The pool process beside weights and contexts: Python, compute buffers, system prompts."""
WEB_BYTES = 220 * MB
"""The web process with some hundred open pages."""
SYSTEM_BYTES = 400 * MB
"""The operating system and a reverse proxy."""
COPY_BYTES = 3 * GB // 2
"""The customary estimate: every instance a copy of the model."""
SERVICES_LOW_BYTES, SERVICES_HIGH_BYTES = 1 * GB, 4 * GB
"""And the customary rest: web server, database, system."""
DISK_SYSTEM_BYTES, DISK_ENVIRONMENT_BYTES, DISK_LOG_BYTES = 5 * GB, 1 * GB, 2 * GB


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """Bytes, by what they are for."""

    weights: int
    instances: int
    parked: int
    processes: int
    system: int
    disk: int

    @property
    def total(self) -> int:
        """All memory together."""
        return self.weights + self.instances + self.parked + self.processes + self.system

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"total": self.total}


def memory_need(figures: Figures, num_instances: int) -> MemoryNeed:
    """Return what ``num_instances`` of this model need, all contexts full."""
    # Room for a second model file, so that one can be fetched while the other is in use.
    disk = DISK_SYSTEM_BYTES + DISK_ENVIRONMENT_BYTES + DISK_LOG_BYTES + 2 * figures.weights_bytes
    return MemoryNeed(
        weights=figures.weights_bytes,
        instances=num_instances * figures.instance_bytes,
        parked=figures.parked_bytes,
        processes=POOL_BYTES + WEB_BYTES,
        system=SYSTEM_BYTES,
        disk=disk,
    )


def copies_bytes(num_instances: int) -> tuple[int, int]:
    """Return the customary estimate, one copy of the model per instance: the least and the most."""
    copies = num_instances * COPY_BYTES
    return copies + SERVICES_LOW_BYTES, copies + SERVICES_HIGH_BYTES
