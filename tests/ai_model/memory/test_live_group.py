"""The levels in a real control group that a child process fills."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ai_model.memory.ladder import Ladder
from ai_model.memory.reading import MemoryReading, Source
from ai_model.memory.sensor import MemorySensor
from ai_model.simulation.cage import membership
from ai_model.simulation.hog import Hog
from tests.ai_model.live_group import MIB, live_group

LIMIT = 96 * MIB


def test_levels_come_in_order_and_go_one_by_one(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    with model.open("wb") as file:
        file.truncate(LIMIT // 10)
    ladder, now, seen = Ladder(), 0.0, ["low"]
    with live_group(LIMIT) as cage, Hog(enter=cage.enter) as hog:
        sensor = MemorySensor(weight_files=lambda: [model], membership=membership(hog.pid))
        assert hog.hold(0), "it has started"

        def step() -> MemoryReading:
            nonlocal now
            now += 1.0
            reading = sensor.read()
            # Neighbours on this machine are no part of the test.
            ours = {"psi_some_avg10": None, "psi_full_avg10": None, "p": reading.p_need}
            level = ladder.update(replace(reading, **ours), now=now)
            if level != seen[-1]:
                seen.append(str(level))
            return reading

        def fill(share: float) -> None:
            more = int(share * LIMIT) - sensor.read().unreclaimable_bytes
            assert hog.hold(hog.num_bytes + more), "the kernel killed the process"

        first = step()
        assert first.source in (Source.V1, Source.V2) and first.limit_bytes == LIMIT
        assert not first.alarm
        for share in (0.5, 0.7, 0.84, 0.93):
            fill(share)
            reading = [step() for _ in range(2)][-1]
            assert reading.p_kill is not None and abs(reading.p_kill - share) < 0.03
        assert seen == ["low", "medium", "high", "critical"]
        assert reading.num_oom_kills == 0
        hog.hold(0)
        for _ in range(75):
            step()
    assert seen == ["low", "medium", "high", "critical", "high", "medium", "low"]


def test_cache_of_a_large_file_is_no_pressure(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.write(b"x" * (48 * MIB))
        file.flush()
        os.fsync(file.fileno())
    with large.open("rb") as file:
        # What is in the cache already would not be charged to the group.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    # With a limit of swap some kernels of version 1 do not count how often the other one is met.
    with live_group(32 * MIB, swap_bytes=None) as cage, Hog(enter=cage.enter) as hog:
        sensor = MemorySensor(weight_files=tuple, membership=membership(hog.pid))
        ladder = Ladder()
        ladder.update(replace(sensor.read(), psi_some_avg10=None, psi_full_avg10=None), now=1.0)
        assert hog.read(large)
        reading = replace(sensor.read(), psi_some_avg10=None, psi_full_avg10=None)
        if not reading.num_max_events:
            pytest.skip("Files in the temporary directory do not fill a cache (tmpfs).")
        assert reading.p_need is not None and reading.p_need < 0.6
        assert ladder.update(replace(reading, p=reading.p_need), now=2.0) == "low"
