"""What each level of memory pressure takes away, and gives back when it is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ai_model.memory import MemoryLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Economy:
    """What a pool does without. The values of a new one are normal operation."""

    can_grow: bool = True
    """Whether there may be more instances than the hot ones."""
    max_instances: int | None = None
    """Instances as soon as what runs has finished; None: as configured."""
    has_calm_parking: bool = False
    """Conversations without an instance take no more than the profile is made for."""
    has_parking: bool = True
    """Whether conversations without an instance are kept at all."""
    has_warm_ups: bool = True
    """Whether conversations are read in idle time."""
    max_tokens: int | None = None
    """Longest new answer, in tokens; None: as configured."""
    max_exchanges: int | None = None
    """Earlier exchanges that the model sees; None: as configured."""
    queue_part: int = 1
    """One in so many of the places in line."""
    trims_heap: bool = False
    """Whether Python's and libc's free memory is given back to the kernel now and then."""
    takes_new_conversations: bool = True


NORMAL = Economy()
ECONOMIES = {
    MemoryLevel.LOW: NORMAL,
    MemoryLevel.MEDIUM: Economy(can_grow=False, has_calm_parking=True),
    MemoryLevel.HIGH: Economy(
        can_grow=False,
        max_instances=1,
        has_calm_parking=True,
        has_parking=False,
        has_warm_ups=False,
        max_tokens=128,
        queue_part=2,
        trims_heap=True,
    ),
    MemoryLevel.CRITICAL: Economy(
        can_grow=False,
        max_instances=1,
        has_calm_parking=True,
        has_parking=False,
        has_warm_ups=False,
        max_tokens=128,
        max_exchanges=2,
        queue_part=2,
        trims_heap=True,
        takes_new_conversations=False,
    ),
}
"""Each level does without at least what the level below it does without."""
