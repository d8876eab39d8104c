"""Threads of llama.cpp against what the machine or container really gives."""

from __future__ import annotations

from apps.ai_pool.doctor.finding import Finding, Level, good


def check_threads(num_threads: int, num_cpus: int) -> list[Finding]:
    """``num_threads``: of the pool; ``num_cpus``: by affinity and CPU quota."""
    if num_threads > num_cpus:
        return [
            Finding(
                "threads-above-quota",
                Level.WARNING,
                f"The pool uses {num_threads} threads and may run {num_cpus} at once, so they "
                "wait for each other and answers are slower than with fewer.",
                f"Set CORRAL_THREADS={num_cpus}, or 0 to have it chosen, and restart the pool.",
            )
        ]
    return [good("threads", f"{_count(num_threads, 'thread')} on {_count(num_cpus, 'processor')}.")]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
