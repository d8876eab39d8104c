"""Keeps a process and its children on a few processors."""

from __future__ import annotations

import os

from ai_model.simulation.machine import SmallMachine


def pin(machine: SmallMachine) -> None:
    """Keep this process on as many processors as the machine has.

    A quota alone is not enough: four threads could still run at once for a quarter of the time.
    """
    os.sched_setaffinity(0, _chosen(machine))


def say_pinned(machine: SmallMachine) -> str:
    """Return a line about it."""
    chosen = sorted(_chosen(machine))
    numbers = ", ".join(str(number) for number in chosen)
    return f"{len(chosen)} processor{'s' if len(chosen) > 1 else ''} (number {numbers})"


def _chosen(machine: SmallMachine) -> set[int]:
    # The last ones: the first has the interrupts of the machine to serve.
    return set(sorted(os.sched_getaffinity(0))[-machine.num_whole_cpus :])
