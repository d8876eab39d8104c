"""Gives every socket a thread of its own for database work.

Without it all sockets of a process share one thread, and a slow query of one visitor holds up
the next frame of everybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import ThreadSensitiveContext

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class SocketThreads:
    """ASGI middleware around the websocket application."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext():
            await self._application(scope, receive, send)
