"""The page on which an action is confirmed, and what happens on its POST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ai_model.pool.errors import PoolError
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, Undo
from apps.ai_pool.actions.record_keeping import note
from apps.ai_pool.actions.registry import APP, VIEW_PERMISSION, url_name

if TYPE_CHECKING:
    from django import forms
    from django.contrib.admin import ModelAdmin

TEMPLATE = "admin/ai_pool/poolstatus/confirm.html"
PAGE = "admin:ai_pool_poolstatus_changelist"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(
    request: HttpRequest,
    *,
    admin: ModelAdmin,  # type: ignore[type-arg]
    action: Action,
) -> HttpResponse:
    """GET shows what would happen; POST does it, writes down who did, and goes to the pool's page.

    The admin's own view around it has seen to the login and to CSRF.
    """
    if not may(request.user, action):
        raise PermissionDenied
    status = services.read_status()
    if request.method != "POST":
        form = action.make_form(status, initial=request.GET.dict())
        return _page(request, admin, action, status, form)
    form = action.make_form(status, request.POST)
    if _is_away(action, status) or not form.is_valid():
        return _page(request, admin, action, status, form)
    try:
        outcome = action.run(status, form.cleaned_data)
    except (PoolError, ValueError) as error:
        return _page(request, admin, action, status, form, complaint=_sentence(str(error)))
    if outcome.is_done:
        note(request.user, outcome.text)
    if outcome.download is not None:
        return outcome.download
    _tell(request, outcome)
    return HttpResponseRedirect(reverse(PAGE))


def may(user: Any, action: Action) -> bool:
    """Whether ``user`` may do it: see the pool, and this permission."""
    return bool(
        user.is_active
        and user.is_staff
        and user.has_perm(VIEW_PERMISSION)
        and user.has_perm(f"{APP}.{action.permission}")
    )


def _page(
    request: HttpRequest,
    admin: ModelAdmin,  # type: ignore[type-arg]
    action: Action,
    status: PoolStatus,
    form: forms.Form,
    *,
    complaint: str = "",
) -> HttpResponse:
    is_away = _is_away(action, status)
    if is_away and not complaint:
        complaint = status.reason
    context = {
        **admin.admin_site.each_context(request),
        "title": action.title,
        "opts": admin.opts,
        "action": action,
        "form": form,
        "status": status,
        "effects": [] if is_away else action.effects(status),
        "is_away": is_away,
        "complaint": complaint,
    }
    code = 503 if is_away and request.method == "POST" else 200
    return TemplateResponse(request, TEMPLATE, context, status=code)


def _is_away(action: Action, status: PoolStatus) -> bool:
    return action.needs_pool and status.state is PoolState.DOWN


def _tell(request: HttpRequest, outcome: Outcome) -> None:
    if not outcome.is_done:
        messages.error(request, outcome.text)
        return
    text: str = outcome.text
    if outcome.undo is not None:
        address = _address(outcome.undo)
        text = format_html('{} <a href="{}">{}</a>', text, address, outcome.undo.label)
    messages.success(request, text)


def _address(undo: Undo) -> str:
    address = reverse(url_name(undo.action))
    return f"{address}?{urlencode(undo.values)}" if undo.values else address


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
