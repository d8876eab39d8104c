"""Whether memory has room for a first instance, and for how many more. Pure."""

from __future__ import annotations

from ai_model.memory import MemoryReading
from ai_model.memory.rung import RUNGS

MAX_START_P_KILL = 0.85
"""A model is not loaded when that would bring the kernel closer to killing than this."""
MAX_INSTANCE_SHARE = 0.03
"""An instance that takes a larger share of the memory than this is no cheap one."""
START_BYTES = 48 * 1024 * 1024
"""What llama.cpp and its libraries take beside weights and KV cells."""
LEVELS_FROM = tuple(rung.enter for rung in RUNGS if not rung.is_by_kill)
"""The pressures at which medium and high begin."""


def why_not_start(reading: MemoryReading, instance_bytes: int) -> str:
    """Return why no model can be loaded now, as a sentence, or "".

    ``instance_bytes`` is the KV memory of the first instance. Weights do not count: their pages
    can be dropped. Nothing is refused when nobody knows how much memory there is.
    """
    if reading.p_kill is None or not reading.limit_bytes:
        return ""
    share = reading.p_kill + (START_BYTES + instance_bytes) / reading.limit_bytes
    if share < MAX_START_P_KILL:
        return ""
    return (
        f"The model waits for memory: {_mb(reading.unreclaimable_bytes)} of "
        f"{_mb(reading.limit_bytes)} are taken and an instance needs "
        f"{_mb(START_BYTES + instance_bytes)} more, which makes {share:.0%}; it starts below "
        f"{MAX_START_P_KILL:.0%}. End what else takes memory."
    )


def why_not_switch(
    reading: MemoryReading, *, instances_bytes: int, old_bytes: int, new_bytes: int
) -> str:
    """Return why another model would not fit, as a sentence, or "".

    It comes beside the one in use, which goes when it is there. ``instances_bytes`` is the KV
    memory of all its instances; of ``new_bytes`` of weights, in place of ``old_bytes``, every token
    reads all. Nothing is refused when nobody knows how much memory there is.
    """
    if reading.p_kill is None or not reading.limit_bytes:
        return ""
    more_bytes = START_BYTES + instances_bytes
    share = reading.p_kill + more_bytes / reading.limit_bytes
    if share >= MAX_START_P_KILL:
        return (
            f"The other model does not fit beside this one: {_mb(reading.unreclaimable_bytes)} of "
            f"{_mb(reading.limit_bytes)} are taken and it needs {_mb(more_bytes)} more, which "
            f"makes {share:.0%}; it is loaded below {MAX_START_P_KILL:.0%}."
        )
    needed = reading.unreclaimable_bytes + new_bytes
    if new_bytes > old_bytes and needed >= reading.limit_bytes:
        return (
            f"The other model does not fit: its {_mb(new_bytes)} and the "
            f"{_mb(reading.unreclaimable_bytes)} that are taken are more than the "
            f"{_mb(reading.limit_bytes)} there are, so that every word would be read from disk."
        )
    return ""


def num_affordable(
    reading: MemoryReading,
    *,
    num_now: int,
    num_wanted: int,
    instance_bytes: int,
    new_bytes: int = 0,
) -> int:
    """Return how many of ``num_wanted`` instances there may be, at least ``num_now``.

    Each one more must be cheap, and all of them together must not bring on the next level.
    ``instance_bytes`` is the KV memory of one; ``new_bytes`` comes with the first of them, which is
    the file of the model before it is mapped.
    """
    if num_wanted <= num_now or reading.p is None or not reading.limit_bytes:
        return max(num_now, num_wanted)
    share = instance_bytes / reading.limit_bytes
    if share >= MAX_INSTANCE_SHARE:
        return num_now
    p = reading.p + new_bytes / reading.limit_bytes
    next_level_from = next((pressure for pressure in LEVELS_FROM if p < pressure), 0.0)
    num = num_now
    while num < num_wanted and p + (num + 1 - num_now) * share < next_level_from:
        num += 1
    return num


def _mb(num_bytes: int) -> str:
    return f"{num_bytes / 2**20:.0f} MB"
