"""How much the server holds for a client that does not read.

Daphne takes every frame at once and never makes a sender wait: what a client does not read grows
in the memory of the server. So whoever sends looks here first. Servers that make senders wait
(Uvicorn) need no looking; for them the answer is always 0.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

KERNEL_BYTES = 64 * 1024
"""What the system may hold besides; left alone it grows to some MB for a client that is slow."""

Application = Callable[..., Awaitable[None]]


class Backlog:
    """The bytes of one socket that neither its client nor the system has taken."""

    def __init__(self, send: Any) -> None:
        """``send`` is what the server gave to the application."""
        self._transport = _transport_of(send)

    @property
    def num_bytes(self) -> int:
        """0 as well where it cannot be known."""
        transport = self._transport
        if transport is None:
            return 0
        try:
            return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)
        except (AttributeError, TypeError):
            return 0

    def bound_the_system(self) -> None:
        """Let the system hold little for this socket."""
        with suppress(AttributeError, OSError, TypeError):
            handle = self._transport.getHandle()
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)

    def give_up(self) -> None:
        """Break the line, without waiting for what is unread."""
        with suppress(AttributeError, TypeError):
            self._transport.abortConnection()


class WithBacklog:
    """Puts a ``Backlog`` into the scope; the outermost layer, where ``send`` is the server's."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await self._application({**scope, "backlog": Backlog(send)}, receive, send)


def _transport_of(send: Any) -> Any:
    """The Twisted transport behind Daphne's ``send``, or None for another server's."""
    if not isinstance(send, partial) or not send.args:
        return None
    transport = getattr(send.args[0], "transport", None)
    return transport if hasattr(transport, "dataBuffer") else None
