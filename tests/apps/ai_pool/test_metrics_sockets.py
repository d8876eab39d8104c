"""Sockets count from their acceptance to their end, however that comes."""

from __future__ import annotations

from typing import Any

import pytest

from apps.ai_pool.metrics_sockets import CountedSockets, OpenSockets


class Application:
    """Accepts a socket, or refuses it, and remembers how many were open then."""

    def __init__(self, sockets: OpenSockets, first: str, error: Exception | None = None) -> None:
        self.sockets, self.first, self.error = sockets, first, error
        self.num_open_inside = -1

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": self.first})
        await send({"type": "websocket.send", "text": "hello"})
        self.num_open_inside = self.sockets.num_open
        if self.error is not None:
            raise self.error


async def run(application: Application) -> list[str]:
    sent: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    await CountedSockets(application, application.sockets)({}, None, send)
    return sent


async def test_an_accepted_socket() -> None:
    sockets = OpenSockets()
    application = Application(sockets, "websocket.accept")
    assert await run(application) == ["websocket.accept", "websocket.send"]
    assert application.num_open_inside == 1
    assert (sockets.num_open, sockets.num_opened) == (0, 1)


async def test_a_refused_socket() -> None:
    sockets = OpenSockets()
    application = Application(sockets, "websocket.close")
    await run(application)
    assert application.num_open_inside == 0
    assert (sockets.num_open, sockets.num_opened) == (0, 0)


async def test_a_socket_that_fails() -> None:
    sockets = OpenSockets()
    with pytest.raises(RuntimeError):
        await run(Application(sockets, "websocket.accept", RuntimeError("broken")))
    assert (sockets.num_open, sockets.num_opened) == (0, 1)
