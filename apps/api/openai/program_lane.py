"""The way for programs: requests under ``/v1/`` go from the server to their view without a thread.

Django's own way gives every request a thread, because most middleware asks for one: 500 programs
that come at once are 500 threads, and 9 ms of work each before anybody is refused (measured). What
these addresses need of it is done here: their headers, and an end when the client goes away.
Sessions, languages, CSRF and cookies are nothing to them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.module_loading import import_string

from apps.api.openai.errors import OpenAIError

log = logging.getLogger(__name__)

MARK = "/v1/"
APP_NAME = "openai"
QUICK = (
    "backend.response_headers.complete_headers",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
"""Middleware that only looks at headers, and so may run on the event loop. Those of them that the
project has run here, in its own order."""
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
View = Callable[[ASGIRequest], Awaitable[HttpResponseBase]]


class WithProgramLane:
    """An ASGI application around Django's: takes what is for programs, and leaves the rest."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._chain: View | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        match = _match_of(scope)
        if match is None:
            await self._application(scope, receive, send)
            return
        body = await _read_body(receive)
        if body is None:
            return
        request = ASGIRequest(scope, BytesIO(body))  # type: ignore[no-untyped-call]
        request.resolver_match = match
        # Made when it is needed: what reads settings at its start may not be read before.
        self._chain = self._chain or _make_chain()
        answering = asyncio.ensure_future(_answer_to(request, self._chain, send))
        leaving = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            answering.cancel()
            await asyncio.wait({answering, leaving})
            request.close()
        if not answering.cancelled():
            answering.result()


def _match_of(scope: Message) -> ResolverMatch | None:
    """The view for a request of a program, wherever the project has put these addresses."""
    if scope["type"] != "http" or MARK not in scope["path"]:
        return None
    try:
        match = resolve(scope["path"])
    except Resolver404:
        return None
    return match if APP_NAME in match.app_names else None


async def _read_body(receive: Receive) -> bytes | None:
    """All of the body, bounded by whoever hands it over; None for a client that went away."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer_to(request: ASGIRequest, answer: View, send: Send) -> None:
    response = await answer(request)
    try:
        await _send(response, send)
    finally:
        # A stream that was left frees its instance by this.
        response.close()


async def _send(response: HttpResponseBase, send: Send) -> None:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
    if isinstance(response, StreamingHttpResponse):
        await send(start)
        async with aclosing(aiter(response)) as parts:  # type: ignore[type-var]
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})
        return
    content: bytes = response.content  # type: ignore[attr-defined]
    headers.append((b"Content-Length", str(len(content)).encode()))
    await send(start)
    await send({"type": "http.response.body", "body": content})


async def _view(request: ASGIRequest) -> HttpResponseBase:
    """What stands in the middle of the middleware: the view, whatever it raises."""
    match = request.resolver_match
    assert match is not None
    try:
        request.get_host()
        response: HttpResponseBase = await match.func(request, *match.args, **match.kwargs)
    except DisallowedHost:
        return OpenAIError(400, "invalid_host", "This is not a name of this server.").response()
    except Exception:
        log.exception("A request of a program failed.")
        return OpenAIError.of_code("internal").response()
    return response


def _make_chain() -> View:
    """The quick middleware of the project around the view."""
    chain: Any = _view
    for name in reversed(settings.MIDDLEWARE):
        if name in QUICK:
            chain = _inline(import_string(name), chain)
    made: View = chain
    return made


def _inline(middleware: Any, inner: View) -> View:
    """A middleware around ``inner``. One of Django's classes is asked directly: by itself it would
    go to a thread, for two headers."""
    if not isinstance(middleware, type):
        made: View = middleware(inner)
        return made
    quick = middleware(lambda request: None)

    async def answer(request: ASGIRequest) -> HttpResponseBase:
        response = quick.process_request(request) if hasattr(quick, "process_request") else None
        response = response or await inner(request)
        if hasattr(quick, "process_response"):
            response = quick.process_response(request, response)
        return response

    return answer
