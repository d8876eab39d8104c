"""Gives every request and every socket an id: read, put into the log, and sent back."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.urls import Resolver404, resolve

from ai_model.log_format import facts
from ai_model.request_id import current_request_id, is_request_id, new_request_id
from apps.ai_chat.routing import websocket_urlpatterns

log = logging.getLogger(__name__)

HEADER = b"x-request-id"
UNKNOWN_ROUTE = "-"
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class WithRequestIds:
    """An ASGI application around another one.

    ``X-Request-ID`` of a request is kept when it is a sound id, and made otherwise; the response
    carries it. With ``CORRAL_ACCESS_LOG`` every request leaves a line when it has ended.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        request_id = _id_of(scope)
        token = current_request_id.set(request_id)
        exchange = _Exchange(scope, request_id, send)
        try:
            await self._application(scope, receive, exchange.send)
        finally:
            if settings.CORRAL_ACCESS_LOG:
                exchange.log_end()
            current_request_id.reset(token)


class _Exchange:
    """One request and how it was answered."""

    def __init__(self, scope: Message, request_id: str, send: Send) -> None:
        self._scope = scope
        self._request_id = request_id
        self._send = send
        self._status: int | None = None
        self._began_at = time.monotonic()

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one of a response gets the id."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            pair = (HEADER, self._request_id.encode())
            message = {**message, "headers": [*message.get("headers", ()), pair]}
        await self._send(message)

    def log_end(self) -> None:
        """Write what kind of page it was and how it went; never an address as it was typed."""
        is_socket, path = self._scope["type"] == "websocket", self._scope["path"]
        log.info(
            "socket closed" if is_socket else "request answered",
            extra=facts(
                method=None if is_socket else self._scope["method"],
                route=_socket_route(path) if is_socket else _route(path),
                status=self._status,
                total_ms=round((time.monotonic() - self._began_at) * 1000),
            ),
        )


def _id_of(scope: Message) -> str:
    for name, value in scope["headers"]:
        if name == HEADER:
            text = value.decode("latin-1")
            return text if is_request_id(text) else new_request_id()
    return new_request_id()


def _route(path: str) -> str:
    """The pattern that an address matches: those who ask for others may have typed anything."""
    if path.startswith("/" + settings.STATIC_URL.strip("/") + "/"):
        return settings.STATIC_URL.strip("/") + "/"
    try:
        return resolve(path).route or "/"
    except Resolver404:
        return UNKNOWN_ROUTE


def _socket_route(path: str) -> str:
    found = (one for one in websocket_urlpatterns if one.pattern.match(path.removeprefix("/")))
    # The last pattern takes every address and has no name.
    return next((str(one.pattern) for one in found), "") or UNKNOWN_ROUTE
