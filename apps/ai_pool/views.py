"""The status page at /pool/ and the health probes; none of them waits for decoding."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.ai_pool import services
from apps.ai_pool.table import live_context

READY_TIMEOUT_S = 3.0
FORMATS = ("html", "text", "json", "part")


@never_cache
@require_safe
async def pool(request: HttpRequest) -> HttpResponse:
    """The pool: three lines for everybody, the whole table for staff; html, text or json."""
    user = await request.auser()
    is_staff = user.is_active and user.is_staff
    if not is_staff and not settings.CORRAL_POOL_PUBLIC:
        raise Http404
    wanted = _wanted_format(request)
    status = await services.pool_status()
    if wanted == "text":
        text = status.as_text() + "\n"
        if is_staff:
            text += "\n" + "\n".join(live_context(status)["lines"]) + "\n"
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    if wanted == "json":
        form = services.staff_form if is_staff else services.public_form
        return JsonResponse(form(status))
    context = {
        "is_staff": is_staff,
        "site_name": settings.CORRAL_SITE_NAME,
        "text": status.as_text(),
        "wait": services.wait_words(status),
        "num_waiting": status.num_waiting,
        "state": str(status.state),
    }
    if is_staff:
        context |= live_context(status)
    template = "ai_pool/_live.html" if wanted == "part" else "ai_pool/pool.html"
    return render(request, template, context)


def _wanted_format(request: HttpRequest) -> str:
    wanted = request.GET.get("format", "")
    if wanted in FORMATS:
        return wanted
    for name, media_type in (("json", "application/json"), ("text", "text/plain")):
        accept = request.headers.get("Accept", "")
        if media_type in accept and "text/html" not in accept:
            return name
    return "html"


@never_cache
@require_safe
async def health_live(request: HttpRequest) -> HttpResponse:
    """This process runs."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
async def health_ready(request: HttpRequest) -> HttpResponse:
    """Pages can be served: the database answers. The model is another matter."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            # A thread of its own: the shared one may be busy with somebody's slow query.
            await sync_to_async(_ask_database, thread_sensitive=False)()
    except Exception as error:
        reason = f"The database does not answer ({type(error).__name__})."
        return _unhealthy(reason, retry_after_s=5)
    return JsonResponse({"status": "ok"})


def _ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        # The thread may never come back to this connection.
        connection.close()


@never_cache
@require_safe
async def health_assistant(request: HttpRequest) -> HttpResponse:
    """A question asked now would be answered; otherwise why not and when to ask again."""
    health = await services.assistant_health()
    if health.is_ok:
        return JsonResponse({"status": "ok"})
    return _unhealthy(health.reason, retry_after_s=health.retry_after_s, state=health.state)


def _unhealthy(reason: str, *, retry_after_s: int, state: str = "unavailable") -> HttpResponse:
    answer = JsonResponse(
        {"status": state, "reason": reason},
        status=503,
        headers={"Retry-After": str(retry_after_s)},
    )
    # A probe that asks every second must not fill the log with errors.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
