"""How the pool is doing as server-sent events at /pool/events, while somebody watches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from apps.ai_pool.limits.address_block import request_block
from apps.ai_pool.lookout import Lookout, get_lookout
from apps.ai_pool.pool_stream import PoolStream, every_of
from apps.ai_pool.request_thread import release_thread
from apps.ai_pool.sight import sees_everything
from apps.ai_pool.throttle import THROTTLE
from apps.ai_pool.watchers import Bye, TooManyWatchers, Watcher

STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
RETRY_MS = 2000
RETRY_AFTER_S = 30
MAX_STREAM_S = 1800.0
"""Then the browser comes again by itself."""


class EventStream:
    """What a response streams: Django calls ``close`` behind it, in whatever way it ended."""

    def __init__(self, lookout: Lookout, watcher: Watcher, stream: PoolStream, line: Any) -> None:
        self._lookout = lookout
        self._watcher = watcher
        self._stream = stream
        self._line = line

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._events()

    def close(self) -> None:
        """Give the place back. Thread-safe and idempotent."""
        with suppress(RuntimeError):
            self._lookout.loop.call_soon_threadsafe(self._lookout.watchers.part, self._watcher)

    async def _events(self) -> AsyncIterator[bytes]:
        over = self._lookout.loop.call_later(MAX_STREAM_S, self._watcher.leave, Bye.OVER)
        # A first line at once: some proxies hold the head of an answer back until one comes.
        yield f"retry: {RETRY_MS}\n\n".encode()
        try:
            async for name, data in self._stream.objects():
                yield b"event: %s\ndata: %s\n\n" % (name.encode(), data)
        finally:
            over.cancel()
            self._lookout.watchers.part(self._watcher)
            if self._watcher.bye is Bye.SLOW and self._line is not None:
                # An ordinary end would wait until it reads.
                self._line.give_up()


@require_GET
async def pool_events(request: HttpRequest) -> Any:
    """The public numbers for everybody, everything for staff who may see it."""
    is_staff = await sees_everything(await request.auser())
    if not is_staff and not settings.CORRAL_POOL_PUBLIC:
        raise Http404
    block = request_block(request)
    wait_s = 0.0 if is_staff else THROTTLE.take(block)
    if wait_s:
        return refusal("Too many requests.", status=429, retry_after_s=wait_s)
    watcher = Watcher(
        session_key=request.session.session_key or "", is_staff=is_staff, address=block
    )
    lookout = get_lookout()
    await release_thread()
    try:
        lookout.watchers.admit(watcher)
    except TooManyWatchers:
        return refusal("Too many watch already.", status=503, retry_after_s=RETRY_AFTER_S)
    line = getattr(request, "scope", {}).get("backlog")
    if line is not None:
        line.bound_the_system()
    stream = PoolStream(
        lookout, watcher, every=every_of(request.GET.get("every", "")), backlog=line
    )
    return StreamingHttpResponse(
        EventStream(lookout, watcher, stream, line),
        content_type="text/event-stream; charset=utf-8",
        headers=STREAM_HEADERS,
    )


def refusal(words: str, *, status: int, retry_after_s: float) -> HttpResponse:
    """Return an answer that says when to come again."""
    whole = max(1, round(retry_after_s + 0.5))
    return JsonResponse(
        {"error": words, "retry_after_s": whole},
        status=status,
        headers={"Retry-After": str(whole), "Cache-Control": "no-store"},
    )
