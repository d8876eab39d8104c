"""The status page at /pool/ and the health probes; none of them waits for decoding."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.ai_pool import services
from apps.ai_pool.actions.registry import url_name
from apps.ai_pool.deep_health import get_deep_probe
from apps.ai_pool.event_views import refusal
from apps.ai_pool.limits.address_block import request_block
from apps.ai_pool.lookout import get_lookout
from apps.ai_pool.sight import sees_everything
from apps.ai_pool.table import live_context, text_lines
from apps.ai_pool.throttle import THROTTLE

READY_TIMEOUT_S = 3.0
FORMATS = ("html", "text", "json", "part")
ACTIONS = {
    "drain": "ai_pool.drain_pool",
    "cancel": "ai_pool.cancel_request",
    "front": "ai_pool.move_request",
}
"""Pages of the admin that the page has a key or a link for, and who may open them."""


@never_cache
@require_safe
async def pool(request: HttpRequest) -> HttpResponse:
    """The pool: three lines for everybody, the whole table for staff; html, text or json."""
    user = await request.auser()
    is_staff = await sees_everything(user)
    if not is_staff and not settings.CORRAL_POOL_PUBLIC:
        raise Http404
    wanted = _wanted_format(request)
    wait_s = 0.0 if is_staff else THROTTLE.take(request_block(request))
    if wait_s:
        return refusal("Too many requests.", status=429, retry_after_s=wait_s)
    look = await get_lookout().look(with_line=is_staff)
    status, line = look.status, look.first_waiting
    if wanted == "text":
        lines = [status.as_text(), *(["", *text_lines(status, line)] if is_staff else [])]
        return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
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
        context |= live_context(status, line) | await _action_links(user)
    template = "ai_pool/_live.html" if wanted == "part" else "ai_pool/pool.html"
    return render(request, template, context)


async def _action_links(user: Any) -> dict[str, str]:
    """Where this user is asked whether to do what the keys stand for."""
    return {
        f"{name}_url": reverse(url_name(name))
        for name, permission in ACTIONS.items()
        if await user.ahas_perm(permission)
    }


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


@never_cache
@require_safe
async def health_deep(request: HttpRequest) -> HttpResponse:
    """The model has really written something within the last half minute."""
    health = await get_deep_probe().check()
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
