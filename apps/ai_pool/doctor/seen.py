"""What the server sees of a request that the doctor sent to it through the proxy.

Answers only who holds the site's SECRET_KEY; to everybody else the address does not exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

PATH = "/health/seen"
HEADER = "X-Corral-Doctor"
SALT = "corral.doctor"
MAX_AGE_S = 300
NUM_PIECES, PIECE_GAP_S = 4, 0.3
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Those of a streamed answer."""


def signature() -> str:
    """The value of HEADER for a request of now."""
    return signing.TimestampSigner(salt=SALT).sign("doctor")


@never_cache
@require_GET
async def seen(request: HttpRequest) -> HttpResponse:
    """Say what arrived; with ``?stream=marked`` or ``?stream=plain`` slowly, piece by piece."""
    try:
        value = request.headers.get(HEADER, "")
        signing.TimestampSigner(salt=SALT).unsign(value, max_age=MAX_AGE_S)
    except signing.BadSignature:
        raise Http404 from None
    stream = request.GET.get("stream", "")
    if stream:
        return StreamingHttpResponse(
            _pieces(),
            content_type="text/event-stream; charset=utf-8",
            headers=STREAM_HEADERS if stream == "marked" else {"Cache-Control": "no-cache"},
        )
    return JsonResponse(
        {
            "scheme": request.scheme,
            "host": request.get_host(),
            "address": request.META.get("REMOTE_ADDR") or "",
            "forwarded_for": request.headers.get("X-Forwarded-For", ""),
            "num_proxies": settings.REST_FRAMEWORK.get("NUM_PROXIES") or 0,
            "is_production": bool(getattr(settings, "IS_PRODUCTION", False)),
            "is_debug": bool(settings.DEBUG),
        }
    )


async def _pieces() -> AsyncIterator[bytes]:
    for number in range(NUM_PIECES):
        if number:
            await asyncio.sleep(PIECE_GAP_S)
        yield f"data: {number}\n\n".encode()
