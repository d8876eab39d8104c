"""A pool whose memory a test makes tight, on a clock that is put forward by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ai_model.engine.request import SamplingParams
from ai_model.memory import MemoryLevel
from ai_model.pool.capacity import GROW_PAUSE_S
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import Clock, make_config, make_request, running_pool, until
from tests.ai_model.pool.fake_engine import FakeEngine
from tests.ai_model.pool.scripted_sensor import ScriptedSensor

CALM_S = 31.0
"""Longer than any level has to be over before it is left."""
LEVELS = list(MemoryLevel)
MB = 1024 * 1024


@dataclass
class Scene:
    """A pool, its engine, what it reads of memory, and its clock."""

    pool: Pool
    engine: FakeEngine
    sensor: ScriptedSensor
    clock: Clock
    broken: list[str]

    def climb(self, level: MemoryLevel) -> None:
        """Bring the pool to a level, from whatever is below it."""
        self.sensor.say(level)
        for _ in range(2):
            self.pool.memory.look()
        assert self.pool.memory.level is level

    def descend(self, level: MemoryLevel) -> None:
        """Bring the pool down to a level, and let the pause before it may grow pass."""
        self.sensor.say(level)
        for _ in range(2 * len(LEVELS)):
            self.pool.memory.look()
            self.clock.advance(CALM_S)
        self.clock.advance(GROW_PAUSE_S)
        self.pool._dispatch()
        assert self.pool.memory.level is level

    def calm_down(self) -> None:
        """Let everything be over, and the pauses pass."""
        self.sensor.say(MemoryLevel.LOW)
        for _ in range(3 * len(LEVELS)):
            self.pool.memory.look()
            self.clock.advance(CALM_S)
        self.clock.advance(GROW_PAUSE_S)
        self.pool.memory.look()
        self.pool._dispatch()
        assert self.pool.memory.level is MemoryLevel.LOW

    def limits(self) -> dict[str, Any]:
        """Return everything that a level may change."""
        capacity, link = self.pool._capacity, self.pool._engine
        return {
            "size": capacity.size,
            "limit": capacity.limit,
            "hot": capacity.hot,
            "reachable": capacity.reachable,
            "engine": self.engine.num_instances,
            "economies": (capacity.economy, link.economy, self.pool.admission.economy),
            "parked": self.engine.parked_limits[-1],
            "config": self.pool.config,
        }


@asynccontextmanager
async def scene(level: MemoryLevel = MemoryLevel.LOW, **config: Any) -> AsyncIterator[Scene]:
    """A pool of two instances, of which one is always there, at rest at ``level``."""
    usual = {"n_ctx": 2048, "max_tokens": 512, "hot_instances": 1, "parked_bytes": 200 * MB}
    # Levels last longer than deadlines usually are.
    usual |= {"calm_parked_bytes": 50 * MB, "timeout_s": 1e5, "total_timeout_s": 1e5}
    usual |= {"first_token_timeout_s": 1e5, "stall_timeout_s": 1e5}
    sensor, clock, broken = ScriptedSensor(level), Clock(), list[str]()
    limits = make_config(**usual | config)
    async with running_pool(limits, sensor=sensor, clock=clock, on_broken=broken.append) as (
        pool,
        engine,
    ):
        yield Scene(pool, engine, sensor, clock, broken)


def long_request(*turns: str, **values: Any) -> PoolRequest:
    """A question that may be answered at length; ``turns`` came before it."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = [ChatMessage(roles[at % 2], text) for at, text in enumerate((*turns, "And now?"))]
    sampling = SamplingParams(max_tokens=500)
    return make_request(**{"messages": tuple(messages), "sampling": sampling} | values)


async def begun(one: Scene, request: PoolRequest) -> Any:
    """Submit a request and return what the engine was given."""
    one.pool.submit(request)
    await until(lambda: request.generation in one.engine.running_ids)
    return next(each for each in one.engine.requests if each.id == request.generation)
