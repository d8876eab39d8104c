"""The demo model in a real pool: what must not harm an answer, and how a pool process ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ai_model.engine.request import SamplingParams
from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolLost, PoolUnavailable
from ai_model.pool.frames import Frame
from ai_model.pool.launch import Launch
from ai_model.pool.pool_process import PoolProcess
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


def test_who_waits_is_told_when_the_process_ends(supervisor: Supervisor) -> None:
    """SIGTERM: those in line hear when to try again, the others get their answers, exit code 0."""

    async def run() -> list[Frame]:
        client = PoolClient(supervisor.socket_path)
        await asyncio.wait_for(wait_until_ready(client), 20)
        requests = [replace(make_greedy_request(), visitor=f"v{n}") for n in range(3)]
        for request in requests:
            await client.submit(request)
        readers = [asyncio.create_task(collect(client, request)) for request in requests]
        while (await client.status()).num_running < 2:
            await asyncio.sleep(0.005)
        assert supervisor.pid is not None
        os.kill(supervisor.pid, signal.SIGTERM)
        ends = [check_log(await reader) for reader in readers]
        await client.close()
        return ends

    first, second, waiting = asyncio.run(run())
    assert {first["reason"], second["reason"]} <= {"stop", "length"}
    assert (waiting["type"], waiting["code"]) == ("gen.error", "pool_lost")
    assert waiting["retryable"] and waiting["retry_after_s"] > 0
    until_sync(lambda: supervisor.num_restarts == 1)
    assert "exit code 0" in supervisor.restarts.last_cause


@pytest.mark.slow
def test_an_answer_that_takes_too_long_does_not_hold_up_the_end() -> None:
    """It ends with what it has, and the process in order."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        path = Path(name) / "pool.sock"
        config = PoolConfig(
            model_path=DEMO_MODEL, max_instances=1, n_ctx=512, max_tokens=64, max_tok_s=4
        )
        process = PoolProcess(Launch(config, path))
        try:

            async def run() -> Frame:
                client = PoolClient(path)
                await asyncio.wait_for(wait_until_ready(client), 20)
                request = make_greedy_request()
                await client.submit(request)
                frames = []
                async for frame in client.subscribe(request.generation):
                    frames.append(frame)
                    if frame["type"] == "gen.started":
                        os.kill(process.pid, signal.SIGTERM)
                await client.close()
                return check_log(frames)

            end = asyncio.run(run())
            assert (end["type"], end["reason"]) == ("gen.done", "shutdown")
            assert end["chars"] > 0
            assert process.reap(5) == 0
            assert not path.exists()
        finally:
            process.reap(0.0)


async def test_an_answer_does_not_notice_the_operator(tmp_path: Path) -> None:
    """Growing, shrinking, a pause and another model in the midst of answers change no word."""
    other = tmp_path / "other.gguf"
    shutil.copy(DEMO_MODEL, other)
    config = PoolConfig(
        model_path=DEMO_MODEL,
        max_instances=4,
        hot_instances=1,
        n_ctx=512,
        max_tokens=64,
        max_tok_s=30,
        max_inflight_per_visitor=10,
    )
    with PoolThread(config) as thread:
        client = PoolClient(thread.socket_path)
        await asyncio.wait_for(wait_until_ready(client), 20)
        assert (await client.status()).num_instances == 1
        alone = make_greedy_request()
        await client.submit(alone)
        expected = text_of(await collect(client, alone))

        requests = [replace(make_greedy_request(), conversation=str(n)) for n in range(4)]
        readers = []
        for request in requests:
            await client.submit(request)
            readers.append(asyncio.create_task(collect(client, request)))
        status = await client.status()
        assert status.num_instances == 4, "it grows with the demand, at once"
        while (await client.status()).decode_tok_s == 0:
            await asyncio.sleep(0.01)
        assert (await client.resize(2)).max_instances == 2
        assert (await client.pause("At noon.")).intake == "paused"
        assert (await client.resume()).intake == "open"
        late = make_greedy_request()
        await client.submit(late)
        readers.append(asyncio.create_task(collect(client, late)))
        result = await client.switch_model(other)
        assert result.is_done, result.text
        for reader in readers:
            frames = await reader
            assert check_log(frames)["reason"] in ("stop", "length")
            assert text_of(frames) == expected
        bad = await client.switch_model(tmp_path / "missing.gguf")
        assert not bad.is_done and "missing.gguf" in bad.text
        again = make_greedy_request()
        await client.submit(again)
        assert text_of(await collect(client, again)) == expected
        await client.close()


async def test_a_warm_up_saves_the_reading() -> None:
    """The next question of the conversation finds its history read."""
    config = PoolConfig(model_path=DEMO_MODEL, max_instances=1, n_ctx=512, max_tokens=16)
    with PoolThread(config) as thread:
        client = PoolClient(thread.socket_path)
        await asyncio.wait_for(wait_until_ready(client), 20)
        request = make_greedy_request()
        assert await client.warm(replace(request, generation=str(uuid.uuid4())))
        while not (await client.status()).instances[0].num_kv_tokens:
            await asyncio.sleep(0.01)
        while (await client.status()).instances[0].state != "idle":
            await asyncio.sleep(0.01)
        await client.submit(request)
        end = check_log(await collect(client, request))
        assert end["usage"]["cached"] == end["usage"]["prompt"] - 1
        status = await client.status()
        assert (status.num_accepted, status.num_done) == (1, 1)
        await client.close()


async def collect(client: PoolClient, request: PoolRequest) -> list[Frame]:
    """Follow a generation to its end."""
    return [frame async for frame in client.subscribe(request.generation)]


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
