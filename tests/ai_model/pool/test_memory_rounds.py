"""A pool looks at memory once a second, more often while it is tight, and when it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ai_model.memory import MemoryLevel
from ai_model.memory.ladder import CALM_INTERVAL_S, TIGHT_INTERVAL_S
from ai_model.pool.memory_rounds import MemoryRounds
from ai_model.pool.memory_watch import HURRY_S
from ai_model.pool.timers import Timers
from tests.ai_model.pool.builders import until
from tests.ai_model.pool.memory_scene import scene


class Bell:
    """Rings when a test says so."""

    def __init__(self, on_ring: Callable[[], None]) -> None:
        self.ring = on_ring
        self.path: Path | None = None
        self.is_closed = False

    def hang(self, path: Path) -> None:
        self.path = path

    def close(self) -> None:
        self.is_closed = True


async def test_a_ring_brings_a_look_at_once_and_more_for_a_while() -> None:
    async with scene() as one:
        memory, timers, bells = one.pool.memory, Timers(), list[Bell]()
        one.sensor.stall_file = Path("pressure")

        def hang(on_ring: Callable[[], None]) -> Bell:
            bells.append(Bell(on_ring))
            return bells[-1]

        rounds = MemoryRounds(memory, timers, hang)  # type: ignore[arg-type]
        rounds.begin()
        [bell] = bells
        assert bell.path == Path("pressure")
        assert memory.interval_s == CALM_INTERVAL_S
        before = one.sensor.num_reads
        one.sensor.say(MemoryLevel.HIGH)
        bell.ring()
        assert one.sensor.num_reads == before + 1
        assert memory.interval_s == TIGHT_INTERVAL_S
        # The second reading follows a tenth of a second later, and makes the level.
        await until(lambda: memory.level is MemoryLevel.HIGH, timeout_s=0.7)
        one.sensor.say(MemoryLevel.LOW)
        one.clock.advance(HURRY_S + 100)
        for _ in range(6):
            memory.look()
            one.clock.advance(100)
        assert memory.interval_s == CALM_INTERVAL_S
        rounds.close()
        assert bell.is_closed
        reads = one.sensor.num_reads
        rounds.begin()
        await asyncio.sleep(0)
        assert one.sensor.num_reads == reads
        timers.close()


async def test_nothing_to_look_with_is_nothing_to_do() -> None:
    async with scene() as one:
        one.pool.memory._sensor = None
        timers = Timers()
        rounds = MemoryRounds(one.pool.memory, timers)
        rounds.begin()
        assert not timers._handles
        rounds.close()
