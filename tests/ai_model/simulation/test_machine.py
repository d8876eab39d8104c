"""Machines that can be pretended to be."""

from __future__ import annotations

import pytest

from ai_model.simulation.machine import SmallMachine


@pytest.mark.parametrize("num_cpus", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_processors(num_cpus: float) -> None:
    with pytest.raises(ValueError, match="processors"):
        SmallMachine(num_cpus=num_cpus, memory_bytes=1 << 30)


def test_impossible_memory() -> None:
    with pytest.raises(ValueError, match="4 MiB"):
        SmallMachine(num_cpus=1, memory_bytes=0)


@pytest.mark.parametrize(("num_cpus", "num_whole"), [(0.5, 1), (1, 1), (1.5, 2), (4, 4)])
def test_parts_of_a_processor_need_a_whole_one(num_cpus: float, num_whole: int) -> None:
    assert SmallMachine(num_cpus=num_cpus, memory_bytes=1 << 30).num_whole_cpus == num_whole
