"""The kernel's word that work waits for memory comes to the pool's loop."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from ai_model.memory.pressure_alarm import PressureAlarm
from ai_model.pool.memory_bell import MemoryBell
from ai_model.simulation.hog import Hog
from tests.ai_model.live_group import MIB, live_group
from tests.ai_model.pool.builders import until

PRESSURE = Path("/proc/pressure/memory")
STALL_S = 20.0


class PipeAlarm:
    """Rings for whoever waits for it, by hand."""

    def __init__(self) -> None:
        self._far, self._near = os.pipe()
        self.num_taken = 0
        self.is_closed = False

    def ring(self) -> None:
        os.write(self._near, b"!")

    def fileno(self) -> int:
        return self._far

    def take(self, timeout_s: float = 0.0) -> bool:
        os.read(self._far, 100)
        self.num_taken += 1
        return False

    def close(self) -> None:
        self.is_closed = True
        os.close(self._far)
        os.close(self._near)


class Rings:
    """A bell, and the alarms it has opened."""

    def __init__(self) -> None:
        self.num = 0
        self.alarms: dict[Path, PipeAlarm] = {}
        self.missing: set[Path] = set()
        self.num_opened = 0
        self.bell = MemoryBell(self._count, self._open)  # type: ignore[arg-type]

    def _count(self) -> None:
        self.num += 1

    def _open(self, path: Path) -> PipeAlarm | None:
        self.num_opened += 1
        if path in self.missing:
            return None
        return self.alarms.setdefault(path, PipeAlarm())


async def test_each_ring_is_heard_once() -> None:
    rings = Rings()
    rings.bell.hang(Path("a"))
    rings.bell.hang(Path("a"))
    assert rings.num_opened == 1 and rings.bell.is_hung
    for number in (1, 2):
        rings.alarms[Path("a")].ring()
        await until(lambda wanted=number: rings.num == wanted)
    await asyncio.sleep(0)
    assert (rings.num, rings.alarms[Path("a")].num_taken) == (2, 2)
    rings.bell.close()


async def test_another_file_takes_the_place_of_the_first() -> None:
    rings = Rings()
    rings.bell.hang(Path("a"))
    rings.bell.hang(Path("b"))
    assert rings.alarms[Path("a")].is_closed
    rings.alarms[Path("b")].ring()
    await until(lambda: rings.num == 1)
    rings.bell.close()
    rings.bell.close()
    assert rings.alarms[Path("b")].is_closed and not rings.bell.is_hung


async def test_where_there_is_no_alarm_it_is_asked_for_once() -> None:
    rings = Rings()
    rings.missing.add(Path("a"))
    for _ in range(3):
        rings.bell.hang(Path("a"))
    assert rings.num_opened == 1 and not rings.bell.is_hung
    rings.bell.close()


async def test_the_real_kernel_rings_when_work_waits(tmp_path: Path) -> None:
    """A process in a group too small for the file it reads again and again."""
    if PressureAlarm.opened(PRESSURE) is None:
        pytest.skip("This kernel has no pressure information, or this user may set no trigger.")
    large = tmp_path / "large"
    large.write_bytes(b"x" * (64 * MIB))
    heard = asyncio.Event()
    bell = MemoryBell(heard.set)
    with live_group(24 * MIB) as cage, Hog(enter=cage.enter) as hog:
        bell.hang(PRESSURE)
        try:
            reading = asyncio.create_task(asyncio.to_thread(_read_until, hog, large, heard))
            await asyncio.wait_for(heard.wait(), STALL_S)
        except TimeoutError:
            pytest.skip("Nothing had to wait for memory.")
        finally:
            heard.set()
            await reading
            bell.close()


def _read_until(hog: Hog, large: Path, heard: asyncio.Event) -> None:
    while not heard.is_set() and hog.read(large):
        pass
