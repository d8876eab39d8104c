"""The client: one connection, many calls, and a clear end of whatever goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

from ai_model.pool import link as link_module
from ai_model.pool.client import PoolClient
from ai_model.pool.control_result import Intake
from ai_model.pool.errors import (
    BadFrame,
    InflightLimit,
    NoModel,
    Paused,
    PoolUnavailable,
    QueueFull,
    TooLong,
    UnknownGeneration,
)
from ai_model.pool.frames import Frame
from ai_model.pool.server import PoolServer
from ai_model.pool.status import PoolState
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import (
    check_log,
    make_config,
    make_request,
    running_pool,
    text_of,
    types_of,
    until,
)
from tests.ai_model.pool.clients import collect, connected


async def test_an_answer(tmp_path: Path) -> None:
    """Submitted, followed, followed again from the middle, acknowledged."""
    async with connected(tmp_path, pace_s=0.001) as (client, _, pool, _):
        request = make_request()
        await client.submit(request)
        frames = await collect(client, request.generation)
        assert check_log(frames)["reason"] == "stop"
        assert text_of(frames) == "The pool answers you."
        durable = [frame for frame in frames if "seq" in frame]
        assert await collect(client, request.generation, after=2) == durable[2:]
        await client.acknowledge(request.generation)
        log = pool.logs.find(request.generation)
        assert log is not None and log.is_acknowledged


async def test_errors_arrive_as_themselves(tmp_path: Path) -> None:
    """With their sentence and time to retry."""
    config = make_config(max_instances=1, queue_size=1, max_inflight_per_visitor=1)
    async with connected(tmp_path, config) as (client, _, _, _):
        await client.submit(make_request(visitor="a"))
        with pytest.raises(InflightLimit):
            await client.submit(make_request(visitor="a"))
        await client.submit(make_request(visitor="b"))
        with pytest.raises(QueueFull) as refusal:
            await client.submit(make_request(visitor="c"))
        assert refusal.value.retry_after_s == 5.0 and refusal.value.text
        huge = make_request(messages=(ChatMessage(Role.USER, "x" * 2**20),))
        with pytest.raises(TooLong):
            await client.submit(huge)
        with pytest.raises(UnknownGeneration):
            await client.stop(str(uuid.uuid4()))
        assert (await client.status()).num_waiting == 1


async def test_no_model(tmp_path: Path) -> None:
    """Is refused with the sentence, which the status shows too."""
    async with connected(tmp_path, is_loading=True) as (client, engine, _, _):
        engine.fail("The file is empty.")
        await until(lambda: engine.failure)
        with pytest.raises(NoModel, match=r"The file is empty\."):
            await client.submit(make_request())
        status = await client.status()
        assert (status.state, status.reason) == (PoolState.FAILED, "The file is empty.")


async def test_a_stranger_is_waited_for_only_after_a_start(tmp_path: Path) -> None:
    """A request may be resubmitted a moment later; for ever is too long."""
    async with connected(tmp_path) as (client, engine, pool, _):
        request = make_request()
        task = asyncio.create_task(collect(client, request.generation))
        await asyncio.sleep(0.02)
        await client.submit(request)
        await until(lambda: engine.running_ids)
        engine.finish_all()
        check_log(await task)
        pool.started_at -= 60
        with pytest.raises(UnknownGeneration):
            await collect(client, str(uuid.uuid4()))
        with pytest.raises(UnknownGeneration):
            await collect(client, request.generation, after=999)


async def test_thirty_two_at_once(tmp_path: Path) -> None:
    """Over one connection: every accepted one gets its own answer."""
    config = make_config(max_instances=4, queue_size=20)
    async with connected(tmp_path, config) as (client, engine, pool, _):
        submitted: list[str] = []

        async def ask(number: int) -> str:
            request = make_request(visitor=f"v{number}")
            try:
                await client.submit(request)
            except QueueFull:
                return "full"
            finally:
                submitted.append(request.generation)
            return text_of(await collect(client, request.generation))

        tasks = [asyncio.create_task(ask(number)) for number in range(32)]
        await until(lambda: len(submitted) == 32)
        while not all(task.done() for task in tasks):
            engine.finish_all()
            await asyncio.sleep(0.001)
        answers = [task.result() for task in tasks]
        assert answers.count("full") == 32 - 24
        assert answers.count("The pool answers you.") == 24
        assert pool.num_free == 4


async def test_stop(tmp_path: Path) -> None:
    """With what the visitor has seen."""
    async with connected(tmp_path) as (client, engine, _, _):
        request = make_request()
        await client.submit(request)
        await until(lambda: engine.running_ids)
        engine.step(2)
        await client.stop(request.generation, seen=4)
        end = check_log(await collect(client, request.generation))
        assert (end["reason"], end["chars"]) in [("user_stop", 4), ("user_stop", 0)]


async def test_a_reader_that_leaves_early(tmp_path: Path) -> None:
    """Ends its subscription and nothing else."""
    async with connected(tmp_path) as (client, engine, _, _):
        request = make_request()
        await client.submit(request)
        frames = client.subscribe(request.generation)
        assert (await anext(frames))["type"] == "gen.created"
        await frames.aclose()  # type: ignore[attr-defined]
        link = client._link
        assert link is not None and not link._subscriptions
        await until(lambda: engine.running_ids)
        engine.finish_all()
        check_log(await collect(client, request.generation))


async def test_a_slow_reader_misses_nothing_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its subscription is dropped and begun anew where it was."""
    monkeypatch.setattr(link_module, "MAX_BEHIND", 3)
    async with connected(tmp_path, script=["x. "] * 30) as (client, engine, _, _):
        request = make_request()
        await client.submit(request)
        await until(lambda: engine.running_ids)
        frames: list[Frame] = []
        async for frame in client.subscribe(request.generation):
            frames.append(frame)
            if frame["type"] == "gen.started":
                engine.finish_all()
                await asyncio.sleep(0.05)
        check_log(frames)
        assert text_of(frames) == "x. " * 30


async def test_the_operators_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answers with how the pool stands."""
    monkeypatch.setattr("ai_model.pool.engine_link.inspect", lambda path: None)
    config = make_config(max_instances=1)
    async with connected(tmp_path, config) as (client, engine, _, _):
        running, waiting = make_request(), make_request(visitor="31a0c2ffff")
        await client.submit(running)
        await client.submit(waiting)
        [one] = await client.list_waiting()
        assert (one.position, one.generation, one.visitor) == (1, waiting.generation, "v-31a0c2")
        result = await client.pause("Back at noon.")
        assert (result.intake, result.num_waiting) == (Intake.PAUSED, 1)
        with pytest.raises(Paused, match=r"Back at noon\.") as refusal:
            await client.submit(make_request())
        assert refusal.value.retry_after_s
        assert (await client.drain()).intake is Intake.DRAINING
        with pytest.raises(PoolUnavailable):
            await client.submit(make_request())
        assert (await client.resume()).intake is Intake.OPEN
        assert (await client.cancel(waiting.generation)).num_waiting == 0
        with pytest.raises(UnknownGeneration):
            await client.cancel(str(uuid.uuid4()))
        assert (await client.resize(3)).max_instances == 3
        for number in (0, 129):
            with pytest.raises(BadFrame, match="1 to 128"):
                await client.resize(number)
        assert await client.warm(make_request(conversation="another"))
        assert not await client.warm(make_request(conversation="another"))
        await until(lambda: engine.running_ids)
        switch = asyncio.create_task(client.switch_model(Path("/models/other.gguf")))
        assert (await client.status()).num_running == 1, "others are served meanwhile"
        engine.finish_all()
        assert (await switch).model == "other F0"
        with pytest.raises(BadFrame, match="absolute"):
            await client.switch_model(Path("models/other.gguf"))
        await client.close()
        with pytest.raises(PoolUnavailable):
            await client.pause()


async def test_leaving_is_counted_and_ends_nothing(tmp_path: Path) -> None:
    """A generation knows whether anybody follows it."""
    async with connected(tmp_path, make_config(max_instances=2)) as (client, engine, pool, _):
        request = make_request()
        await client.submit(request)
        generation = pool._register.live[request.generation]
        assert generation.audience.unwatched_since is not None
        first = asyncio.create_task(collect(client, request.generation))
        second = asyncio.create_task(collect(client, request.generation))
        await until(lambda: generation.audience.num_followers == 2)
        assert generation.audience.unwatched_since is None
        first.cancel()
        await until(lambda: generation.audience.num_followers == 1)
        assert generation.audience.unwatched_since is None
        second.cancel()
        await until(lambda: generation.audience.unwatched_since is not None)
        assert pool.controls.end_unwatched(9, grace_s=30) == 0, "it has a while to come back"
        await until(lambda: engine.running_ids)
        engine.finish_all()
        check_log(await collect(client, request.generation))


async def test_a_client_whose_people_have_left_is_no_reader(tmp_path: Path) -> None:
    """It follows on, and says so as often as it likes."""
    async with connected(tmp_path, make_config(max_instances=2)) as (client, engine, pool, server):
        request = make_request()
        await client.submit(request)
        audience = pool._register.live[request.generation].audience
        reader = asyncio.create_task(collect(client, request.generation))
        await until(lambda: audience.num_followers == 1)
        await client.watching(request.generation, 2)
        assert audience.unwatched_since is None
        await client.watching(request.generation, 0)
        left_at = audience.unwatched_since
        assert left_at is not None
        await client.watching(request.generation, 0)
        assert audience.unwatched_since == left_at
        other = PoolClient(client.socket_path)
        second = asyncio.create_task(collect(other, request.generation))
        await until(lambda: audience.unwatched_since is None)
        second.cancel()
        await until(lambda: audience.num_followers == 1)
        assert audience.unwatched_since is not None
        assert pool.controls.end_unwatched(1, grace_s=0) == 1
        check_log(await reader)
        await client.watching(request.generation, 1)
        await client.watching(str(uuid.uuid4()), 0)
        with pytest.raises(BadFrame):
            await client.watching(request.generation, -1)
        await other.close()


async def test_tokens_are_counted(tmp_path: Path) -> None:
    """As a message has them, beside everything else, and never of a long text."""
    async with connected(tmp_path) as (client, engine, pool, server):
        assert await client.count_tokens("") == 0
        assert await client.count_tokens("four") == 4
        assert await client.count_tokens("<|user|>") == len("[user]")
        counts = await asyncio.gather(*(client.count_tokens("x" * num) for num in range(20)))
        assert counts == list(range(20))
        assert await client.count_tokens("x" * 16_384) == 16_384
        for text in ("x" * 16_385, "é" * 8_193):
            with pytest.raises(TooLong):
                await client.count_tokens(text)
            with pytest.raises(BadFrame):
                await client._ask({"type": "count_tokens", "text": text}, 5.0)


async def test_tokens_of_a_model_that_is_not_there(tmp_path: Path) -> None:
    """Nobody waits for it to be loaded."""
    async with connected(tmp_path, is_loading=True) as (client, engine, pool, server):
        with pytest.raises(NoModel):
            await client.count_tokens("four")


async def test_a_long_path() -> None:
    """Server and client agree on a short one."""
    base = Path(tempfile.mkdtemp(prefix="corral-"))
    directory = base / ("d" * 60) / ("e" * 60)
    directory.mkdir(parents=True)
    client = PoolClient(directory / "pool.sock")
    try:
        async with running_pool() as (pool, _):
            server = PoolServer(pool, client.socket_path)
            await server.start()
            assert (await client.status()).state is PoolState.READY
            await client.close()
            await server.close()
    finally:
        shutil.rmtree(base)
        shutil.rmtree(client.socket_path.parent)


def test_another_loop_is_refused(tmp_path: Path) -> None:
    """A client belongs to the loop that first used it."""
    client = PoolClient(tmp_path / "pool.sock")

    async def ask() -> None:
        with contextlib.suppress(PoolUnavailable):
            await client.status()

    asyncio.run(ask())
    with pytest.raises(RuntimeError, match="one event loop"):
        asyncio.run(ask())


def test_a_web_process_imports_no_llama_cpp() -> None:
    """Neither the client nor the supervisor brings in llama.cpp, NumPy or Django."""
    code = (
        "import sys, ai_model.pool.client, ai_model.pool.supervisor\n"
        "print([m for m in ('llama_cpp', 'numpy', 'django') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_types_in_order(tmp_path: Path) -> None:
    """What a page shows arrives in the order of the protocol."""
    config = make_config(max_instances=1)
    async with connected(tmp_path, config) as (client, engine, _, _):
        first, second = make_request(), make_request()
        await client.submit(first)
        await client.submit(second)
        task = asyncio.create_task(collect(client, second.generation))
        await until(lambda: engine.running_ids)
        await asyncio.sleep(0.02)
        engine.finish_all()
        await until(lambda: engine.running_ids == [second.generation])
        await asyncio.sleep(0.02)
        engine.finish_all()
        kinds = types_of(await task)
        assert kinds[:4] == ["created", "queue", "started", "progress"]
        assert kinds[-1] == "done"
