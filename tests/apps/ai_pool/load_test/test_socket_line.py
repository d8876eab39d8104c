"""The small WebSocket client against a real one's server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from apps.ai_pool.load_test.socket_line import LineLost, SocketLine


async def talk(handler: Any, *frames: dict[str, Any]) -> list[dict[str, Any]]:
    """Open a line to ``handler``, send ``frames`` and return as many answers."""
    async with serve(handler, "127.0.0.1", 0, subprotocols=["chat.v1"]) as server:  # type: ignore[list-item]
        port = server.sockets[0].getsockname()[1]
        line = await SocketLine.open(f"ws://127.0.0.1:{port}/ws/", subprotocol="chat.v1")
        try:
            answers = []
            for frame in frames:
                await line.send(frame)
                answers.append(await line.receive())
            return answers
        finally:
            await line.close()


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_frames_of_every_length() -> None:
    frames = [{"text": "x" * size} for size in (0, 1, 110, 125, 126, 1000, 65_000, 70_000)]
    assert await talk(echo, *frames) == frames


async def test_a_message_in_parts_and_a_ping_between() -> None:
    async def in_parts(connection: ServerConnection) -> None:
        await connection.recv()
        pong = await connection.ping()
        await connection.send(iter(['{"text": ', '"yes', '"}']))
        async with asyncio.timeout(5):
            await pong

    assert await talk(in_parts, {}) == [{"text": "yes"}]


async def test_a_receive_that_is_given_up_loses_nothing() -> None:
    async def slowly(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(json.dumps({"text": "later"}))
        await connection.wait_closed()

    async with serve(slowly, "127.0.0.1", 0, subprotocols=["chat.v1"]) as server:  # type: ignore[list-item]
        port = server.sockets[0].getsockname()[1]
        line = await SocketLine.open(f"ws://127.0.0.1:{port}/", subprotocol="chat.v1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await line.receive()
        await line.send({})
        assert await line.receive() == {"text": "later"}
        await line.close()


async def test_the_end_of_a_line_is_told_with_its_code() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.close(4401, "")

    with pytest.raises(LineLost, match="4401"):
        await talk(leave, {})


async def test_what_is_not_an_object_ends_the_line() -> None:
    async def babble(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("[1]")

    with pytest.raises(LineLost, match="not a JSON object"):
        await talk(babble, {})


async def test_a_page_that_is_no_socket_is_a_sentence() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LineLost, match="404"):
            await SocketLine.open(f"ws://127.0.0.1:{port}/", subprotocol="chat.v1")
    with pytest.raises(LineLost, match="cannot be reached"):
        await SocketLine.open(f"ws://127.0.0.1:{port}/", subprotocol="chat.v1")
