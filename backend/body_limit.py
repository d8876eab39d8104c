"""How large a request may be, looked at before it is kept: an ASGI application around another one.

A length that is told and too large is refused before a byte of the body is asked for; a body
without one is counted while it comes. Daphne reads whole bodies before it asks any application, so
for it ``daphne_bodies`` looks earlier.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

from apps.ai_pool.limits.refusals import REFUSALS, SIZE

FORM_BYTES = 192 * 1024
"""For forms of the admin: a site's instructions, a logo, and a list with many ticked rows."""
FORMS = "/admin/"
OPENAI, API = "/v1/", "/api/"
OURS = ("/v1/", "/api/v1/")
TOO_BIG = "The request is too big."
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def most_bytes(path: str) -> int:
    """Return the largest body that ``path`` takes, in bytes."""
    if getattr(settings, "IS_CORRAL_GUEST", False) and not path.startswith(OURS):
        # What somebody else's project takes, pictures for example, is its own business.
        return sys.maxsize
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return max(most, FORM_BYTES) if path.startswith(FORMS) else most


def refusal(path: str) -> tuple[str, bytes]:
    """Return kind and text of the 413 at ``path``, and count it: in the shape of its errors."""
    # Not before somebody is refused: the REST framework is large.
    from apps.api.errors import error_body
    from apps.api.openai.errors import OpenAIError

    REFUSALS.count(SIZE)
    if path.startswith(OPENAI):
        body = OpenAIError(413, "request_too_large", TOO_BIG).body()
    elif path.startswith(API):
        body = error_body("too_big", TOO_BIG)
    else:
        return "text/plain; charset=utf-8", TOO_BIG.encode()
    return "application/json", json.dumps(body).encode()


class WithBodyLimit:
    """Answers 413 to what is too large; everything else goes on."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        most, told = most_bytes(scope["path"]), _told_length(scope)
        if told is not None and told > most:
            await _refuse(scope["path"], send)
            return
        counted = _Counted(receive, send, most)
        try:
            await self._application(scope, counted.receive, counted.send)
        except _TooBig:
            if counted.has_answered:
                raise
            await _refuse(scope["path"], send)


class _TooBig(Exception):
    """More came than is taken."""


class _Counted:
    """Counts what comes in, and knows whether an answer has begun."""

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self.has_answered = False
        self._receive, self._send, self._left = receive, send, most

    async def receive(self) -> Message:
        """Return the next message. Raises _TooBig."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise _TooBig
        return message

    async def send(self, message: Message) -> None:
        """Pass it on."""
        self.has_answered = True
        await self._send(message)


def _told_length(scope: Message) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None


async def _refuse(path: str, send: Send) -> None:
    kind, body = refusal(path)
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
