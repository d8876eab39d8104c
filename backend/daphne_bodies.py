"""Refuses large bodies while they come, under Daphne, which would keep them whole otherwise.

Daphne asks the application when it has all of a body: 300 MB of it are 300 MB of memory. Twisted
tells the length when the headers are there and hands every piece over, and that is where a request
is refused here. What still comes is thrown away for a moment, so that the client can read the
answer rather than find a broken line.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from backend.body_limit import most_bytes, refusal

LINGER_S = 2.0
_LEFT = "corral_bytes_left"
"""What the body of a request may still have; below 0 for one that is refused."""


def bound_bodies() -> None:
    """Bound what Daphne takes, if this process is one. Idempotent; elsewhere nothing is done."""
    module: Any = sys.modules.get("daphne.http_protocol")
    if module is None or issubclass(module.WebRequest, _Bounded):
        return
    module.WebRequest = type("WebRequest", (_Bounded, module.WebRequest), {})


class _Bounded:
    """Goes before Daphne's request."""

    channel: Any
    content: Any
    requestHeaders: Any

    def gotLength(self, length: int | None) -> None:
        """The headers are there, and with them the length, unless the body comes in pieces."""
        super().gotLength(length)  # type: ignore[misc]
        most = most_bytes(self._path())
        setattr(self, _LEFT, most)
        if length is not None and length > most:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """A piece of the body."""
        left = getattr(self, _LEFT) - len(data)
        if left < 0 <= getattr(self, _LEFT):
            self._refuse()
        elif left >= 0:
            setattr(self, _LEFT, left)
            super().handleContentChunk(data)  # type: ignore[misc]

    def process(self) -> Any:
        """All of it is there."""
        if getattr(self, _LEFT, 0) >= 0:
            return super().process()  # type: ignore[misc]
        return None

    def _refuse(self) -> None:
        from twisted.internet import reactor

        setattr(self, _LEFT, -1)
        self.content = io.BytesIO()
        # Nobody is to go on and send it.
        self.requestHeaders.removeHeader(b"expect")
        kind, body = refusal(self._path())
        head = (
            "HTTP/1.1 413 Request Entity Too Large\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        transport = self.channel.transport
        transport.write(head.encode() + body)
        reactor.callLater(LINGER_S, transport.abortConnection)  # type: ignore[attr-defined]

    def _path(self) -> str:
        # The request itself is told its address only when it is complete.
        target: bytes = getattr(self.channel, "_path", b"") or b""
        return target.split(b"?", 1)[0].decode("latin-1")
