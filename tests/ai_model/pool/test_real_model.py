"""The demo model in a real pool process: an answer survives the death of its process."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ai_model.engine.request import SamplingParams
from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolLost, PoolUnavailable
from ai_model.pool.frames import Frame
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState
from ai_model.pool.supervisor import Supervisor
from ai_model.pool.thread import PoolThread
from tests.ai_model.pool.builders import check_log, make_request, text_of, until_sync

DEMO_MODEL = Path(__file__).resolve().parents[3] / "ai_model" / "weights" / "demo.gguf"

pytestmark = pytest.mark.skipif(
    not DEMO_MODEL.is_file(), reason="the demo model is not there; `make demo-model` builds it"
)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A supervisor of a pool with the demo model, slowed down to 60 tokens per second."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        directory = Path(name)
        config = PoolConfig(
            model_path=DEMO_MODEL, max_instances=2, n_ctx=512, max_tokens=64, max_tok_s=60
        )
        supervisor = Supervisor(config, directory / "pool.sock", directory / "pool.lock")
        supervisor.start()
        yield supervisor
        supervisor.stop()


def make_greedy_request() -> PoolRequest:
    """Return a request whose answer is always the same."""
    sampling = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=40)
    return make_request("Tell me what you can do.", sampling=sampling)


async def wait_until_ready(client: PoolClient) -> None:
    """Wait for the model."""
    while True:
        try:
            if (await client.status()).state is PoolState.READY:
                return
        except PoolUnavailable:
            pass
        await asyncio.sleep(0.02)


async def test_an_answer_survives_its_process(supervisor: Supervisor) -> None:
    """Submitted again with what it has produced, it goes on and ends as it would have."""
    client = PoolClient(supervisor.socket_path)
    await asyncio.wait_for(wait_until_ready(client), 20)
    whole = make_greedy_request()
    await client.submit(whole)
    frames = [frame async for frame in client.subscribe(whole.generation)]
    check_log(frames)
    expected = text_of(frames)
    assert expected

    request = make_greedy_request()
    await client.submit(request)
    seen: list[Frame] = []
    with pytest.raises(PoolLost):
        async for frame in client.subscribe(request.generation):
            seen.append(frame)
            if len(text_of(seen)) >= len(expected) // 3 and supervisor.num_restarts == 0:
                assert supervisor.pid is not None
                os.kill(supervisor.pid, signal.SIGKILL)
                while supervisor.num_restarts == 0:
                    await asyncio.sleep(0.005)
    text = text_of(seen)
    assert 0 < len(text) < len(expected)

    tokens = [token for frame in seen for token in frame.get("tokens", ())]
    again = replace(request, produced=tuple(tokens), produced_text=text)
    await client.submit(again)
    rest = [frame async for frame in client.subscribe(request.generation)]
    end = check_log(rest)
    assert text_of(rest) == expected
    assert end["reason"] in ("stop", "length")
    await client.close()


async def test_stop_frees_the_instance_soon(supervisor: Supervisor) -> None:
    """And the next request gets it."""
    client = PoolClient(supervisor.socket_path)
    await asyncio.wait_for(wait_until_ready(client), 20)
    request = make_greedy_request()
    await client.submit(request)
    async for frame in client.subscribe(request.generation):
        if frame["type"] == "gen.delta":
            await client.stop(request.generation, seen=len(frame["text"]))
    assert frame["reason"] == "user_stop"
    assert (await client.status()).num_running == 0
    await client.close()


def test_ending_in_order_lets_an_answer_finish(supervisor: Supervisor) -> None:
    """SIGTERM in the middle of an answer: its reader gets the rest."""

    async def run() -> list[Frame]:
        client = PoolClient(supervisor.socket_path)
        await asyncio.wait_for(wait_until_ready(client), 20)
        request = make_greedy_request()
        await client.submit(request)
        frames: list[Frame] = []
        async for frame in client.subscribe(request.generation):
            frames.append(frame)
            if frame["type"] == "gen.started":
                assert supervisor.pid is not None
                os.kill(supervisor.pid, signal.SIGTERM)
        await client.close()
        return frames

    frames = asyncio.run(run())
    assert check_log(frames)["reason"] in ("stop", "length")
    until_sync(lambda: supervisor.num_restarts == 1)


def test_a_second_sigterm_ends_at_once(supervisor: Supervisor) -> None:
    """The answer is lost for its reader, who knows where it stood."""

    async def run() -> None:
        client = PoolClient(supervisor.socket_path)
        await asyncio.wait_for(wait_until_ready(client), 20)
        request = make_greedy_request()
        await client.submit(request)
        with pytest.raises(PoolLost) as loss:
            async for frame in client.subscribe(request.generation):
                if frame["type"] == "gen.started":
                    assert supervisor.pid is not None
                    os.kill(supervisor.pid, signal.SIGTERM)
                    while (await client.status()).state is not PoolState.DRAINING:
                        await asyncio.sleep(0.005)
                    os.kill(supervisor.pid, signal.SIGTERM)
        assert loss.value.last_seq >= 2
        await client.close()

    asyncio.run(run())
    until_sync(lambda: supervisor.num_restarts == 1)


async def test_a_sleeping_model_wakes_for_the_next_question() -> None:
    """Nobody waits for more than the reload, and health stays good meanwhile."""
    config = PoolConfig(model_path=DEMO_MODEL, max_instances=1, max_tokens=16, idle_sleep_s=0.05)
    with PoolThread(config) as thread:
        client = PoolClient(thread.socket_path)
        await asyncio.wait_for(wait_until_asleep(client), 20)
        status = await client.status()
        assert status.state is PoolState.READY
        request = make_greedy_request()
        await client.submit(request)
        frames = [frame async for frame in client.subscribe(request.generation)]
        check_log(frames)
        assert text_of(frames)
        await asyncio.wait_for(wait_until_asleep(client), 20)
        await client.close()


async def wait_until_asleep(client: PoolClient) -> None:
    """Wait until the model was given back."""
    while "sleeps" not in (await client.status()).reason:
        await asyncio.sleep(0.02)
