"""The machine to pretend to be."""

from __future__ import annotations

import math
from dataclasses import dataclass

LEAST_MEMORY_BYTES = 4 << 20
"""Below that not even a shell starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallMachine:
    """What the command may use. Raises ValueError with a sentence for what no machine can be."""

    num_cpus: float
    """Processors; a part of one is allowed."""
    memory_bytes: int
    swap_bytes: int | None = None
    """None leaves swap as it is."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.num_cpus) and 0.01 <= self.num_cpus <= 4096):
            raise ValueError("The number of processors must lie between 0.01 and 4096")
        if self.memory_bytes < LEAST_MEMORY_BYTES:
            raise ValueError("Nothing runs in less than 4 MiB of memory")

    @property
    def num_whole_cpus(self) -> int:
        """Processors that threads can run on at once."""
        return math.ceil(self.num_cpus)
