"""A real control group of the kernel for one test, where this user may make one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ai_model.simulation.cage import NoCage
from ai_model.simulation.choice import can_enter
from ai_model.simulation.group_cage import GroupCage
from ai_model.simulation.machine import SmallMachine

MIB = 1 << 20


@contextmanager
def live_group(memory_bytes: int, swap_bytes: int | None = 0) -> Iterator[GroupCage]:
    """Yield a group, without swap usually; skip the test with the reason where none can be made."""
    machine = SmallMachine(num_cpus=1, memory_bytes=memory_bytes, swap_bytes=swap_bytes)
    try:
        cage = GroupCage(machine)
    except (NoCage, OSError) as error:
        pytest.skip(f"No real control group: {error}.")
    try:
        if not can_enter(cage):
            pytest.skip("No real control group: processes may not be moved into one.")
        yield cage
    finally:
        cage.close()
