"""How many chat sockets this web process has open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class OpenSockets:
    """Counts sockets. Lives on the event loop of the server."""

    def __init__(self) -> None:
        self.num_open = 0
        self.num_opened = 0

    def open(self) -> None:
        """One more was accepted."""
        self.num_open += 1
        self.num_opened += 1

    def close(self) -> None:
        """One that was accepted has ended."""
        self.num_open -= 1


SOCKETS = OpenSockets()
"""Those of this process."""


class CountedSockets:
    """ASGI middleware around the websocket application; refused sockets never count."""

    def __init__(self, application: Application, sockets: OpenSockets = SOCKETS) -> None:
        self._application = application
        self._sockets = sockets

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        is_open = False

        # Not async: the answer has thousands of frames, and each would pay for a coroutine more.
        def counted(message: dict[str, Any]) -> Awaitable[None]:
            nonlocal is_open
            if not is_open and message["type"] == "websocket.accept":
                is_open = True
                self._sockets.open()
            result: Awaitable[None] = send(message)
            return result

        try:
            await self._application(scope, receive, counted)
        finally:
            if is_open:
                self._sockets.close()
