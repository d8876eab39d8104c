"""Memory and swap against what model and conversations need."""

from __future__ import annotations

from dataclasses import dataclass

from apps.ai_pool.doctor.finding import Finding, Level, good

SERVICES_BYTES = 400_000_000
"""The web process, the pool's own Python and what else a small server runs."""
TIGHT = 0.85
SWAPPING = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What there is and what is needed, in bytes."""

    limit: int
    """Of the machine or the container."""
    swap_total: int
    swap_used: int
    model: int
    conversations: int
    """All instances with full contexts, and what is parked."""

    @property
    def needed(self) -> int:
        """Everything together."""
        return self.model + self.conversations + SERVICES_BYTES


def check_memory(memory: Memory) -> list[Finding]:
    """Whether it fits, and what happens if it does not."""
    return [_fits(memory), *_swap(memory)]


def _fits(memory: Memory) -> Finding:
    parts = (
        f"the model {_mb(memory.model)}, conversations {_mb(memory.conversations)}, Python and "
        f"the rest about {_mb(SERVICES_BYTES)}; there are {_mb(memory.limit)}"
    )
    fix = (
        "Lower CORRAL_MAX_INSTANCES, CORRAL_N_CTX or CORRAL_PARKED_MB, use a smaller quantisation "
        "(`manage.py model list`), or give the machine more memory."
    )
    if memory.needed > memory.limit:
        return Finding("memory-too-small", Level.ERROR, f"It does not fit: {parts}.", fix)
    if memory.needed > TIGHT * memory.limit:
        return Finding("memory-tight", Level.WARNING, f"Memory is tight: {parts}.", fix)
    return good("memory", f"{_mb(memory.needed)} are needed of {_mb(memory.limit)}.")


def _swap(memory: Memory) -> list[Finding]:
    if not memory.swap_total and memory.needed > TIGHT * memory.limit:
        return [
            Finding(
                "swap-missing",
                Level.WARNING,
                "There is no swap, so a moment of too little memory ends a process at once.",
                "Add 1 GB: `fallocate -l 1G /swapfile && chmod 600 /swapfile && mkswap /swapfile "
                "&& swapon /swapfile`, and a line in /etc/fstab.",
            )
        ]
    if memory.swap_total and memory.swap_used > SWAPPING * memory.swap_total:
        return [
            Finding(
                "swap-in-use",
                Level.WARNING,
                f"{_mb(memory.swap_used)} of {_mb(memory.swap_total)} swap are in use: something "
                "needs more memory than there is, and answers may crawl.",
                "See what takes it (`ps aux --sort=-rss | head`), and lower CORRAL_MAX_INSTANCES "
                "or CORRAL_N_CTX if it is the pool.",
            )
        ]
    if memory.swap_total:
        used = f"{_mb(memory.swap_used)} of {_mb(memory.swap_total)} swap in use"
        return [good("swap", f"{used}.")]
    return [good("swap", "No swap, and no need of it.")]


def _mb(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.0f} MB"
