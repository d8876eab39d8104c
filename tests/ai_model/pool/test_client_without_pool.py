"""A client whose pool is away, dies, says nothing or shuts down hears so, and in time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from ai_model.pool.client import PoolClient
from ai_model.pool.errors import PoolLost, PoolUnavailable, ProtocolMismatch
from ai_model.pool.frames import Frame
from ai_model.pool.server import PoolServer
from ai_model.pool.status import PoolState
from tests.ai_model.pool.builders import check_log, make_config, make_request, until
from tests.ai_model.pool.clients import collect, connected


async def test_a_pool_that_shuts_down_tells_everybody(tmp_path: Path) -> None:
    """Who waits hears when to try again, who is answered gets the rest; then the line is cut."""
    async with connected(tmp_path, make_config(max_instances=1)) as (client, engine, pool, server):
        running, waiting = make_request(), make_request()
        await client.submit(running)
        await client.submit(waiting)
        await until(lambda: engine.running_ids)
        engine.step()
        readers = [
            asyncio.create_task(collect(client, request.generation))
            for request in (running, waiting)
        ]
        await until(
            lambda: all(
                one.audience.unwatched_since is None for one in pool._register.live.values()
            )
        )
        await pool.finish(0.05)
        await server.close()
        first, second = [check_log(await reader) for reader in readers]
        assert (first["type"], first["reason"]) == ("gen.done", "shutdown")
        assert (second["type"], second["code"]) == ("gen.error", "pool_lost")
        assert second["retryable"] and second["retry_after_s"] > 0
        with pytest.raises(PoolUnavailable):
            await client.status()


async def test_a_line_that_is_sent_away_hears_it_before_the_socket_closes(tmp_path: Path) -> None:
    """However many there are: nothing runs, so nothing gives them time to read."""
    config = make_config(queue_size=100)
    async with connected(tmp_path, config, is_loading=True) as (client, _, pool, server):
        requests = [make_request(visitor=f"v{number}") for number in range(100)]
        for request in requests:
            await client.submit(request)
        readers = [asyncio.create_task(collect(client, request.generation)) for request in requests]
        await until(
            lambda: all(
                one.audience.unwatched_since is None for one in pool._register.live.values()
            )
        )
        await pool.finish(5.0)
        await server.close()
        for reader in readers:
            assert check_log(await reader)["code"] == "pool_lost"


async def test_a_pool_that_dies_in_an_answer(tmp_path: Path) -> None:
    """Is PoolLost with the last number; the next call finds the next pool by itself."""
    async with connected(tmp_path) as (client, engine, pool, server):
        request = make_request()
        await client.submit(request)
        await until(lambda: engine.running_ids)
        engine.step()
        frames: list[Frame] = []
        with pytest.raises(PoolLost) as loss:
            async for frame in client.subscribe(request.generation):
                frames.append(frame)
                if frame["type"] == "gen.delta":
                    await server.close(flush_s=0)
        assert loss.value.generation == request.generation
        assert loss.value.last_seq == frames[-1]["seq"]
        with pytest.raises(PoolUnavailable):
            await client.status()
        again = PoolServer(pool, server.socket_path)
        starting = asyncio.create_task(_start_later(again))
        await client.submit(make_request())
        await starting
        assert (await client.status()).state is PoolState.READY
        await again.close()


async def _start_later(server: PoolServer) -> None:
    await asyncio.sleep(0.1)
    await server.start()


async def test_no_pool_at_all(tmp_path: Path) -> None:
    """The status says so at once, a submission after its time."""
    client = PoolClient(tmp_path / "pool.sock")
    began = time.monotonic()
    with pytest.raises(PoolUnavailable, match="No pool is running"):
        await client.status()
    assert time.monotonic() - began < 0.5
    with pytest.raises(PoolUnavailable):
        await client.submit(make_request(), timeout_s=0.1)
    await client.close()
    with pytest.raises(PoolUnavailable, match="closed"):
        await client.status()


@pytest.mark.parametrize(
    ("hello", "error"),
    [
        (b'{"type":"welcome","protocol":"pool.v9"}\n', ProtocolMismatch),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", PoolUnavailable),
        (b'{"type":"refused","protocol":"pool.v1","text":"No."}\n', PoolUnavailable),
        (b"", PoolUnavailable),
    ],
)
async def test_something_else_behind_the_socket(
    tmp_path: Path, hello: bytes, error: type[Exception]
) -> None:
    """Is not taken for a pool."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(hello)
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / "pool.sock")
    client = PoolClient(tmp_path / "pool.sock")
    with pytest.raises(error):
        await client.status()
    await client.close()
    server.close()
    await server.wait_closed()


async def test_a_pool_that_says_nothing(tmp_path: Path) -> None:
    """A call ends after its time."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(hang, tmp_path / "pool.sock")
    client = PoolClient(tmp_path / "pool.sock")
    with pytest.raises(PoolUnavailable):
        await client.status(timeout_s=0.1)
    await client.close()
    server.close()
    await server.wait_closed()
