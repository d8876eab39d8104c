"""A model comes in when memory has room for it, with as many instances as there is room for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ai_model.engine.config import EngineConfig
from ai_model.engine.cost_curve import CostCurve
from ai_model.engine.snapshot import EngineState
from ai_model.pool import loading
from ai_model.pool.pool import Pool
from ai_model.pool.status import PoolState
from tests.ai_model.pool.builders import make_config, make_request, until
from tests.ai_model.pool.fake_engine import Factory, FakeEngine, factory
from tests.ai_model.pool.scripted_engine import ScriptedEngine
from tests.ai_model.pool.scripted_sensor import LIMIT, ScriptedSensor


@asynccontextmanager
async def starting(
    sensor: ScriptedSensor, make_engine: Factory, **config: Any
) -> AsyncIterator[Pool]:
    """A pool that has just been started."""
    limits = make_config(**{"max_instances": 4, "kv_bytes_per_token": 22_528} | config)
    pool = Pool(limits, engine_factory=make_engine, sensor=lambda _: sensor)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


async def test_a_model_waits_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MEMORY_RETRY_S", 0.01)
    sensor, make_engine = ScriptedSensor(), factory()
    sensor.read_shares(0.84, 0.84)
    async with starting(sensor, make_engine) as pool:
        await asyncio.sleep(0.05)
        status = pool.status()
        assert not make_engine.is_made and status.state is PoolState.LOADING
        assert "waits for memory" in status.reason and "below 85%" in status.reason
        sensor.read_shares(0.5, 0.3)
        pool.memory.look()
        await until(lambda: pool.is_ready)
        assert pool.status().reason == ""


async def test_off_starts_whatever_memory_says() -> None:
    sensor = ScriptedSensor()
    sensor.read_shares(0.99, 0.99)
    async with starting(sensor, factory(), emergency="off") as pool:
        await until(lambda: pool.is_ready)
        assert pool.num_instances == 4


async def test_a_start_has_as_many_instances_as_there_is_room_for(tmp_path: Path) -> None:
    """512 tokens are 11.5 MB, here 0.56 % each; with the weights the next level is 1.5 % away."""
    weights = tmp_path / "model.gguf"
    with weights.open("wb") as file:
        file.truncate(LIMIT // 2)
    sensor, make_engine = ScriptedSensor(), factory()
    sensor.read_shares(0.235, 0.2)
    async with starting(sensor, make_engine, max_instances=8, model_path=weights) as pool:
        await until(lambda: pool.is_ready)
        assert make_engine.engine.config.num_instances == pool.num_instances == 3


@pytest.mark.parametrize(("wanted", "p", "size"), [(4, 0.5, 4), (4, 0.895, 1), (1, 0.5, 1)])
async def test_the_curve_decides_the_size_once(wanted: int, p: float, size: int) -> None:
    """As far as there is room; an operator's word is not overruled by a model loaded later."""
    sensor, make_engine = ScriptedSensor(), factory(is_loading=True)
    sensor.read_shares(p, 0.2)
    async with starting(
        sensor, make_engine, max_instances=1, curve_instances=4, target_itl_ms=400, n_ctx=1024
    ) as pool:
        await until(lambda: make_engine.is_made)
        make_engine.engine.kv_bytes_per_token = 22_528
        four_ms = 133.0 if wanted == 4 else 200.0
        curve = CostCurve(((1, 50.0), (2, 90.0), (4, four_ms)))
        make_engine.engine.step_cost = SimpleNamespace(
            curve=curve, cell_ms=0.0, ms=lambda size, cells: curve.cost_ms(size)
        )
        make_engine.engine.become_ready()
        await until(lambda: pool.is_ready)
        assert (pool.num_instances, pool.status().max_instances) == (size, wanted)
        pool.controls.resize(2)
        make_engine.engine.become_ready()
        await asyncio.sleep(0.01)
        assert pool.status().max_instances == 2


# After a sleep


class Sleepers(Factory):
    """Makes engines that can sleep."""

    def __call__(self, config: EngineConfig, on_state: Callable[[EngineState], None]) -> FakeEngine:
        """Make one."""
        self._engine = ScriptedEngine(config, on_state)
        self._made.set()
        return self._engine


@asynccontextmanager
async def asleep(sensor: ScriptedSensor, **config: Any) -> AsyncIterator[tuple[Pool, Any]]:
    """A pool whose model was given back, and its engine."""
    make_engine = Sleepers()
    async with starting(sensor, make_engine, **config) as pool:
        await until(lambda: pool.is_ready)
        assert isinstance(make_engine.engine, ScriptedEngine)
        make_engine.engine.fall_asleep()
        await until(lambda: pool.is_asleep)
        yield pool, make_engine.engine


async def test_a_sleeping_model_waits_for_memory_and_says_so() -> None:
    sensor = ScriptedSensor()
    async with asleep(sensor) as (pool, engine):
        sensor.read_shares(0.84, 0.84)
        pool.memory.look()
        assert pool.status().state is PoolState.READY, "nobody wants it"
        request = make_request()
        pool.submit(request)
        await asyncio.sleep(0.25)
        status = pool.status()
        assert pool.is_asleep and status.state is PoolState.LOADING
        assert "waits for memory" in status.reason
        sensor.read_shares(0.5, 0.3)
        pool.memory.look()
        await until(lambda: engine.running_ids == [request.generation])


async def test_a_model_wakes_with_as_many_instances_as_there_is_room_for() -> None:
    """0.56 % each, and the next level is 1 % away."""
    sensor = ScriptedSensor()
    async with asleep(sensor) as (pool, engine):
        assert pool.num_instances == 4
        sensor.read_shares(0.74, 0.3)
        pool.memory.look()
        pool.submit(make_request())
        await until(lambda: engine.running_ids)
        assert (engine.num_instances, pool.num_instances) == (2, 2)


async def test_off_wakes_whatever_memory_says() -> None:
    sensor = ScriptedSensor()
    async with asleep(sensor, emergency="off") as (pool, engine):
        sensor.read_shares(0.99, 0.99)
        pool.memory.look()
        pool.submit(make_request())
        await until(lambda: engine.running_ids)
