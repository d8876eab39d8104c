"""Profiles: named sets of engine limits, each for a size of machine."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The limits the engine and the pool run with unless a setting overrides one."""

    name: str
    hot_instances: int
    """Instances that are always there."""
    max_instances: int
    """Instances the pool may grow to."""
    n_ctx: int
    """Context of one conversation, in tokens; a model trained on less lowers it."""
    max_tokens: int
    """Longest answer, in tokens."""
    max_messages: int
    """History messages the model sees at most."""
    parked_bytes: int
    """Memory for the KV states of conversations that hold no instance, in bytes."""
    chunk_tokens: int
    """Prompt tokens read in one step while nobody else is answered."""
    target_itl_ms: float
    """Longest time between two tokens of a running answer that reading a prompt may cause, in
    milliseconds."""
    num_threads: int = 0
    """Threads of llama.cpp; 0 means the CPU quota."""
    curve_instances: int = 0
    """Instances there may be instead of ``max_instances`` when the measured cost of steps says that
    more answer faster together; 0 leaves it as it is."""
    prefix_tokens: int = 1024
    """Context cells reserved for the system prompts of all sites and languages together."""
    has_flash_attention: bool = True
    repeat_last_n: int = 64
    """Tokens of an answer that must not be repeated."""
    reason: str = ""
    """When ``auto`` chooses it, or what else it is for."""


SMALL = Profile(
    name="small",
    hot_instances=1,
    max_instances=1,
    n_ctx=1024,
    max_tokens=256,
    max_messages=10,
    parked_bytes=50 * MB,
    chunk_tokens=64,
    target_itl_ms=400,
    curve_instances=4,
    prefix_tokens=512,
    reason="one CPU or at most 3 GB of memory",
)
STANDARD = Profile(
    name="standard",
    hot_instances=3,
    max_instances=5,
    n_ctx=2048,
    max_tokens=512,
    max_messages=200,
    parked_bytes=250 * MB,
    chunk_tokens=128,
    target_itl_ms=300,
    reason="two to seven CPUs",
)
LARGE = Profile(
    name="large",
    hot_instances=5,
    max_instances=10,
    n_ctx=2048,
    max_tokens=512,
    max_messages=200,
    parked_bytes=1024 * MB,
    chunk_tokens=128,
    target_itl_ms=300,
    reason="eight or more CPUs and at least 8 GB of memory",
)
CLASSIC = Profile(
    name="classic",
    hot_instances=1,
    max_instances=1,
    n_ctx=1024,
    max_tokens=256,
    max_messages=10,
    parked_bytes=50 * MB,
    chunk_tokens=1,
    target_itl_ms=400,
    num_threads=1,
    has_flash_attention=False,
    repeat_last_n=32,
    reason="only to compare with: what is often advised for little memory, and is slower",
)
"""One token at a time and no flash attention: 2.6 to 9 times slower at reading, for 4 MB."""
PROFILES = {profile.name: profile for profile in (SMALL, STANDARD, LARGE, CLASSIC)}

SMALL_MODEL_BYTES = 64 * MB
"""A model below this size stays in the processor's cache, so that one thread suffices."""


def choose_threads(*, num_cpus: int, model_bytes: int) -> int:
    """Return the threads to compute with on ``num_cpus`` usable CPUs.

    Threads of llama.cpp meet several hundred times in a step. A small model computes for so short
    between two meetings that they would mostly wait for each other, and for whoever else uses the
    CPU.
    """
    return 1 if model_bytes < SMALL_MODEL_BYTES else num_cpus


def choose_profile(name: str, *, num_cpus: int, memory_bytes: int) -> Profile:
    """Return the profile called ``name``, or for ``auto`` the one that fits the machine.

    Raises ValueError naming the known profiles.
    """
    if name == "auto":
        if num_cpus <= 1 or memory_bytes <= 3 * 1024 * MB:
            return SMALL
        if num_cpus >= 8 and memory_bytes >= 8 * 1024 * MB:
            return LARGE
        return STANDARD
    try:
        return PROFILES[name]
    except KeyError:
        known = ", ".join(["auto", *PROFILES])
        raise ValueError(f"there is no profile {name!r}; choose one of {known}") from None
