"""The real pool with the tiny model, started as the server starts it, in both placements."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import lifecycle, services

TIMEOUT_S = 40.0


@pytest.fixture(params=["thread", "process"])
def started(request: pytest.FixtureRequest, tiny_settings: Settings) -> Iterator[str]:
    tiny_settings.CORRAL_POOL_MODE = request.param
    tiny_settings.CORRAL_MAX_INSTANCES = 2
    lifecycle.start_pool()
    assert lifecycle.failure() == ""
    yield request.param
    lifecycle.stop_pool()


async def wait_for(state: PoolState, *, unlike_pid: int = 0) -> PoolStatus:
    deadline = time.monotonic() + TIMEOUT_S
    status = PoolStatus.down("never asked")
    while time.monotonic() < deadline:
        status = await services.pool_status()
        if status.state is state and status.pid != unlike_pid:
            return status
        await asyncio.sleep(0.05)
    raise AssertionError(f"not {state} within {TIMEOUT_S} s: {status}")


async def test_it_becomes_ready_and_stops_without_a_trace(started: str) -> None:
    status = await wait_for(PoolState.READY)
    assert status.num_available == status.num_instances == 2
    assert status.model is not None
    assert status.model.name == "Tiny Test"
    assert (status.pid == os.getpid()) is (started == "thread")
    socket_path = lifecycle.socket_path()
    assert socket_path.exists()
    await asyncio.to_thread(lifecycle.stop_pool)
    assert not socket_path.exists()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("corral")]
    assert (await services.pool_status()).state is PoolState.DOWN


@pytest.mark.parametrize("started", ["process"], indirect=True)
async def test_a_killed_pool_process_comes_back(started: str) -> None:
    first = await wait_for(PoolState.READY)
    os.kill(first.pid, signal.SIGKILL)
    second = await wait_for(PoolState.READY, unlike_pid=first.pid)
    assert second.pid != first.pid


async def test_a_broken_model_never_reaches_llama_cpp(
    tiny_settings: Settings, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(tiny_model.read_bytes()[:-1000])
    tiny_settings.CORRAL_MODEL_PATH = str(path)
    lifecycle.start_pool()
    status = await services.pool_status()
    assert status.state is PoolState.FAILED
    assert "truncated" in status.reason
    assert not lifecycle.is_started()
