"""The thresholds of the memory levels, as data."""

from __future__ import annotations

from dataclasses import dataclass

from ai_model.memory.level import MemoryLevel

WARNING_PRESSURE = 0.60
"""From here on, still at low, status and admin carry a line of warning."""
DYING_P_KILL = 0.97
"""From here on at critical: end answers early, then restart before the kernel kills."""
REFAULT_SHARE_S = 0.05
REFAULT_AFTER_S = 5.0
"""Refaults above this share of the weights per second, for so long, are thrash."""
FULL_SWAP = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """When a level begins and when it ends. Shares are of the limit, pressure is in percent."""

    level: MemoryLevel
    enter: float
    num_readings: int
    """Fresh readings in a row at ``enter`` or above."""
    leave: float
    leave_after_s: float
    """How long everything that would begin the level must have been away, the share below
    ``leave``."""
    is_by_kill: bool = False
    """Goes by ``p_kill`` and not by ``p``: slow is not yet dying."""
    psi_some: float | None = None
    psi_full: float | None = None
    signs_from: float = 0.0
    """Counters of the kernel and full swap count from this share on. Below it they grow when any
    large file is read, because a cache fills the group up to its limit without harm."""


RUNGS = (
    Rung(
        level=MemoryLevel.MEDIUM,
        enter=0.75,
        num_readings=2,
        leave=0.70,
        leave_after_s=30.0,
        psi_some=10.0,
    ),
    Rung(
        level=MemoryLevel.HIGH,
        enter=0.90,
        num_readings=2,
        leave=0.85,
        leave_after_s=30.0,
        psi_some=20.0,
        psi_full=5.0,
        signs_from=0.85,
    ),
    Rung(
        level=MemoryLevel.CRITICAL,
        enter=0.90,
        num_readings=1,
        leave=0.90,
        leave_after_s=10.0,
        is_by_kill=True,
        psi_full=20.0,
        signs_from=0.75,
    ),
)
"""From calm to emergency."""
