"""A real pool process in a real control group, beside another process that eats its memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ai_model.engine.request import SamplingParams
from ai_model.memory import MemorySensor
from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import MemoryPressure
from ai_model.pool.frames import Frame
from ai_model.pool.launch import Launch
from ai_model.pool.pool_process import ROOT
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import MemoryStatus
from ai_model.prompt import ChatMessage, Role
from ai_model.simulation.cage import membership
from ai_model.simulation.hog import Hog
from tests.ai_model.live_group import MIB, live_group
from tests.ai_model.pool.builders import check_log, make_request
from tests.ai_model.pool.test_real_model import DEMO_MODEL, pytestmark, wait_until_ready

__all__ = ["pytestmark"]

LIMIT = 400 * MIB
SAMPLING = SamplingParams(temperature=0.0, max_tokens=400)


@dataclass
class Group:
    """The pool's client, and its neighbour."""

    client: PoolClient
    hog: Hog

    def fill(self, share: float) -> None:
        """Let the neighbour take memory until so much of the limit cannot be dropped."""
        sensor = MemorySensor(weight_files=tuple, membership=membership(self.hog.pid))
        more = int(share * LIMIT) - sensor.read().unreclaimable_bytes
        assert self.hog.hold(max(0, self.hog.num_bytes + more)), "the kernel killed the neighbour"

    async def memory(self) -> MemoryStatus:
        """Return what the pool says about memory."""
        return (await self.client.status()).memory

    async def wait_for(self, level: str, timeout_s: float) -> float:
        """Wait for a level; returns the seconds it took."""
        started = time.monotonic()
        while (memory := await self.memory()).level != level:
            assert time.monotonic() - started < timeout_s, memory
            await asyncio.sleep(0.02)
        return time.monotonic() - started

    async def answer(self, request: PoolRequest) -> Frame:
        """Return the last frame of an answer."""
        await self.client.submit(request)
        frames = [frame async for frame in self.client.subscribe(request.generation)]
        return check_log(frames)


@contextmanager
def pool_in_group() -> Iterator[Group]:
    """A pool process with the demo model, and a neighbour that holds nothing yet."""
    with (
        tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name,
        live_group(LIMIT) as cage,
        Hog(enter=cage.enter) as hog,
    ):
        config = PoolConfig(
            model_path=DEMO_MODEL, max_instances=1, n_ctx=512, max_tokens=256, timeout_s=20
        )
        launch = Launch(config, Path(name) / "pool.sock")
        with subprocess.Popen(
            [sys.executable, "-m", "ai_model.pool"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            preexec_fn=cage.enter,
        ) as process:
            assert process.stdin is not None
            process.stdin.write(launch.to_line())
            process.stdin.flush()
            try:
                yield Group(PoolClient(launch.socket_path), hog)
                assert process.poll() is None, "the pool process has ended"
            finally:
                process.terminate()
                process.wait(20)


async def test_a_greedy_neighbour_brings_the_emergency_mode_within_a_second() -> None:
    """The real sensor, ladder, admission and engine; and the operator has the last word."""
    with pool_in_group() as group:
        client = group.client
        await asyncio.wait_for(wait_until_ready(client), 20)
        await group.wait_for("low", 5)
        memory = await group.memory()
        assert memory.limit_bytes == LIMIT and memory.kill_pressure is not None
        assert (await group.answer(make_request("Hello", sampling=SAMPLING)))["quality"] == "full"
        group.fill(0.93)
        # It looks once a second; the rest is room for a busy machine.
        assert await group.wait_for("critical", 10) < 5.0
        assert "cannot be dropped" in (await group.memory()).reason
        with pytest.raises(MemoryPressure) as refusal:
            await client.submit(make_request("Hello"))
        assert refusal.value.retry_after_s
        messages = tuple(
            ChatMessage(role, "Tell me more.") for role in (Role.USER, Role.ASSISTANT, Role.USER)
        )
        end = await group.answer(make_request(messages=messages, sampling=SAMPLING))
        assert end["type"] == "gen.done" and end["usage"]["completion"] <= 128
        await client.set_emergency("off")
        assert (await group.memory()).level == "low"
        await client.submit(make_request("Hello"))
        await client.close()


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_levels_go_one_by_one_when_the_neighbour_lets_go() -> None:
    """Nothing dies, and it takes less than 90 s."""
    with pool_in_group() as group:
        await asyncio.wait_for(wait_until_ready(group.client), 20)
        life = (await group.client.status()).life
        await group.wait_for("low", 5)
        for share, level in ((0.78, "medium"), (0.93, "critical")):
            group.fill(share)
            await group.wait_for(level, 5)
        group.hog.hold(0)
        took = [await group.wait_for(level, 40) for level in ("high", "medium", "low")]
        assert sum(took) < 90
        end = await group.answer(make_request("Hello", sampling=SAMPLING))
        assert end["quality"] == "full"
        assert (await group.client.status()).life == life
        await group.client.close()
