"""What the kernel says about memory at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where the limit and the use come from."""

    V2 = "v2"
    """A control group of version 2."""
    V1 = "v1"
    """A control group of version 1."""
    NONE = "none"
    """No control group sets a limit (or it cannot be read): the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReading:
    """One reading. Shares are of the limit: 1.0 is full, and they may be above it.

    When nothing at all can be read, the shares are None and ``p`` is too.
    """

    limit_bytes: int = 0
    """The tightest limit: of this control group, one of its ancestors, or the machine."""
    unreclaimable_bytes: int = 0
    """What the kernel cannot drop under that limit: heaps, KV caches, shared memory; no files."""
    weights_bytes: int = 0
    """Model files mapped by live processes, each file once, whatever part of it is resident."""
    p_need: float | None = None
    """Unreclaimable memory and weights: from 1.0 on every token reads the model from disk."""
    p_kill: float | None = None
    """Unreclaimable memory alone: at 1.0 the kernel kills."""
    p_host: float | None = None
    """The same as ``p_need`` for the whole machine, its other tenants included."""
    p: float | None = None
    """The larger of ``p_need`` and ``p_host``: what the levels go by."""
    psi_some_avg10: float | None = None
    """Percent of the last 10 s in which some task waited for memory; None where not told."""
    psi_full_avg10: float | None = None
    """Percent of the last 10 s in which every task waited for memory."""
    num_high_events: int = 0
    """How often the group was slowed down at ``memory.high``; a file cache can do that too."""
    num_max_events: int = 0
    """How often the group met its hard limit; a file cache can do that too."""
    num_oom_kills: int = 0
    """How many processes of the group the kernel has killed for memory."""
    refault_bytes_s: float = 0.0
    """File pages dropped and read again at once, in bytes a second since the last reading."""
    swap_used_share: float | None = None
    """None where there is no swap."""
    source: Source = Source.NONE
    is_fresh: bool = True
    """False while this repeats the last value, and when nothing can be read."""
    alarm: str = ""
    """A sentence when something that should be readable is not."""
