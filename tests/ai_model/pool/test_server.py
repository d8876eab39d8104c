"""Whatever a client sends or does, the pool stays up and the others are served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.pool import connection as connection_module
from ai_model.pool import server as server_module
from ai_model.pool.errors import PoolStartError
from ai_model.pool.frames import MAX_FRAME_BYTES, PROTOCOL, Frame, encode
from ai_model.pool.pool import Pool
from ai_model.pool.server import PoolServer
from tests.ai_model.pool.builders import make_request, running_pool, until
from tests.ai_model.pool.fake_engine import FakeEngine


@dataclass
class Peer:
    """A raw client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, frame: Frame) -> None:
        """Write a frame."""
        self.writer.write(encode(frame))

    async def read(self) -> Frame:
        """Read a frame; an empty one at the end."""
        line = await asyncio.wait_for(self.reader.readline(), 5)
        frame: Frame = json.loads(line) if line else {}
        return frame

    async def is_dropped(self) -> bool:
        """Read to the end."""
        with contextlib.suppress(ConnectionError):
            while await asyncio.wait_for(self.reader.read(65536), 5):
                pass
        return True


@dataclass
class Served:
    """A pool behind a socket."""

    pool: Pool
    engine: FakeEngine
    server: PoolServer
    path: Path
    peers: list[Peer]

    async def connect(self, *, says_hello: bool = True) -> Peer:
        """Return a new client."""
        peer = Peer(*await asyncio.open_unix_connection(self.path, limit=MAX_FRAME_BYTES))
        self.peers.append(peer)
        if says_hello:
            peer.send({"type": "hello", "protocol": PROTOCOL})
            welcome = await peer.read()
            assert (welcome["type"], welcome["pid"]) == ("welcome", os.getpid())
        return peer

    async def check_alive(self) -> None:
        """A well-behaved client is served."""
        peer = await self.connect()
        peer.send({"type": "status", "id": 1})
        assert (await peer.read())["status"]["state"] == "ready"
        peer.writer.close()


@contextlib.asynccontextmanager
async def serve(directory: Path) -> AsyncIterator[Served]:
    """Serve a pool with a fake engine."""
    async with running_pool() as (pool, engine):
        server = PoolServer(pool, directory / "pool.sock")
        await server.start()
        served = Served(pool, engine, server, server.socket_path, [])
        try:
            yield served
        finally:
            for peer in served.peers:
                peer.writer.close()
            await server.close()
            assert not served.path.exists()


async def test_the_socket_is_private(tmp_path: Path) -> None:
    """Mode 0600, nothing beside it, and gone afterwards."""
    async with serve(tmp_path) as served:
        assert stat.S_IMODE(served.path.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [served.path]


async def test_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence."""
    async with serve(tmp_path) as served:
        monkeypatch.setattr(server_module.os, "geteuid", lambda: 12345)
        peer = await served.connect(says_hello=False)
        frame = await peer.read()
        assert frame["type"] == "refused" and "12345" in frame["text"]
        assert await peer.is_dropped()


async def test_another_version_is_refused(tmp_path: Path) -> None:
    """With a sentence that says what to do."""
    async with serve(tmp_path) as served:
        peer = await served.connect(says_hello=False)
        peer.send({"type": "hello", "protocol": "pool.v0"})
        frame = await peer.read()
        assert frame["type"] == "refused" and "restart" in frame["text"]
        assert await peer.is_dropped()
        await served.check_alive()


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"not json\n",
        b'{"type":"status","id":1}\n',
        b'{"type":"hello"}\n',
        b'{"type":"hello","protocol":1}\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_a_wrong_hello(tmp_path: Path, line: bytes) -> None:
    """Is answered with an error and the end."""
    async with serve(tmp_path) as served:
        peer = await served.connect(says_hello=False)
        peer.writer.write(line)
        assert (await peer.read())["type"] == "error"
        assert await peer.is_dropped()
        await served.check_alive()


async def test_a_frame_that_is_too_long(tmp_path: Path) -> None:
    """Is not even kept in memory."""
    async with serve(tmp_path) as served:
        peer = await served.connect()
        with contextlib.suppress(ConnectionError):
            for _ in range(3 * MAX_FRAME_BYTES // 65536):
                peer.writer.write(b"x" * 65536)
                await peer.writer.drain()
        assert await peer.is_dropped()
        await served.check_alive()


async def test_unknown_and_wrong_commands(tmp_path: Path) -> None:
    """Get an error with their id; the connection stays."""
    async with serve(tmp_path) as served:
        peer = await served.connect()
        for number, frame in enumerate(
            [
                {"type": "dance"},
                {"type": "submit"},
                {"type": "submit", "request": {}},
                {"type": "submit", "request": make_request().to_json() | {"messages": []}},
                {"type": "stop", "generation": 1},
                {"type": "stop", "generation": "x", "seen": -1},
                {"type": "stop", "generation": "nobody"},
                {"type": "subscribe", "generation": "x" * 1000},
                {"type": "unsubscribe"},
                {"type": "warm", "request": {}},
                {"type": "pause", "message": 1},
                {"type": "resize"},
                {"type": "resize", "num_instances": 0},
                {"type": "resize", "num_instances": True},
                {"type": "resize", "num_instances": 10**9},
                {"type": "switch_model"},
                {"type": "switch_model", "path": "relative.gguf"},
                {"type": "switch_model", "path": "/a\0b"},
                {"type": "switch_model", "path": "/" + "x" * 5000},
                {"type": "cancel", "generation": "nobody"},
                {"type": "cancel"},
            ]
        ):
            peer.send({**frame, "id": number})
            answer = await peer.read()
            assert (answer["type"], answer["id"]) == ("error", number)
        peer.send({"type": "unsubscribe", "id": 99, "sub": 12345})
        assert await peer.read() == {"type": "ok", "id": 99}


async def test_half_open_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who connects and says nothing, or half a line, is dropped."""
    monkeypatch.setattr(connection_module, "HELLO_TIMEOUT_S", 0.05)
    async with serve(tmp_path) as served:
        peers = [await served.connect(says_hello=False) for _ in range(20)]
        for peer in peers[::2]:
            peer.writer.write(b'{"type":"hel')
        await served.check_alive()
        for peer in peers:
            assert await peer.is_dropped()


async def test_too_many_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are refused, the others stay."""
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 2)
    async with serve(tmp_path) as served:
        first = await served.connect()
        second = await served.connect()
        third = await served.connect(says_hello=False)
        assert (await third.read())["type"] == "refused"
        first.send({"type": "status", "id": 1})
        assert (await first.read())["type"] == "status"
        second.writer.close()
        await until(lambda: _can_connect(served.path))


def _can_connect(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
        return True


async def test_a_client_that_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is dropped; the answer goes on for the others."""
    monkeypatch.setattr(connection_module, "OUTBOX_BYTES", 4096)
    monkeypatch.setattr(connection_module, "WRITE_TIMEOUT_S", 0.1)
    async with serve(tmp_path) as served:
        request = make_request()
        served.engine.enqueue(*["x" * 100_000 + "."] * 20)
        served.pool.submit(request)
        slow = await served.connect()
        slow.send({"type": "subscribe", "id": 1, "generation": request.generation, "after": 0})
        slow.writer.transport.pause_reading()
        await until(lambda: served.engine.running_ids)
        served.engine.finish_all()
        fast = await served.connect()
        fast.send({"type": "subscribe", "id": 1, "generation": request.generation, "after": 0})
        while (frame := await fast.read())["type"] != "end":
            assert frame["type"] in ("ok", "event")
        await until(lambda: len(served.server._connections) == 1)
        slow.writer.transport.resume_reading()
        assert await slow.is_dropped()


async def test_disconnecting_stops_nothing(tmp_path: Path) -> None:
    """The generation goes on, and another connection sees all of it."""
    async with serve(tmp_path) as served:
        request = make_request()
        first = await served.connect()
        first.send({"type": "submit", "id": 1, "request": request.to_json()})
        first.send({"type": "subscribe", "id": 2, "generation": request.generation, "after": 0})
        await first.read()
        await until(lambda: served.engine.running_ids)
        served.engine.step(2)
        first.writer.transport.abort()
        served.engine.finish_all()
        second = await served.connect()
        second.send({"type": "subscribe", "id": 1, "generation": request.generation, "after": 0})
        events = []
        while (frame := await second.read())["type"] != "end":
            if frame["type"] == "event":
                events.append(frame["frame"])
        assert events[-1]["reason"] == "stop" and events[0]["seq"] == 1


@settings(max_examples=30, deadline=None)
@given(lines=st.lists(st.binary(max_size=80), max_size=6), says_hello=st.booleans())
def test_any_bytes(
    lines: list[bytes], says_hello: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Never hurt anybody else."""

    async def run() -> None:
        async with serve(tmp_path_factory.mktemp("s")) as served:
            peer = await served.connect(says_hello=says_hello)
            with contextlib.suppress(ConnectionError):
                for line in lines:
                    peer.writer.write(line + b"\n")
                    await peer.writer.drain()
            peer.writer.close()
            await served.check_alive()

    asyncio.run(run())


async def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    """What a killed process left behind is no obstacle."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "pool.sock"))
    async with serve(tmp_path) as served:
        await served.check_alive()


async def test_a_living_pool_is_not_replaced(tmp_path: Path) -> None:
    """And closing the loser leaves the winner's socket alone."""
    async with serve(tmp_path) as served:
        second = PoolServer(served.pool, served.path)
        with pytest.raises(PoolStartError, match="Another pool answers"):
            await second.start(takeover_s=0.1)
        await second.close()
        await served.check_alive()


async def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """Is a sentence."""
    async with running_pool() as (pool, _):
        server = PoolServer(pool, tmp_path / "missing" / "pool.sock")
        with pytest.raises(PoolStartError, match="directory"):
            await server.start()
        await server.close()
