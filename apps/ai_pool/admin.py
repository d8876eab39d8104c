"""The pool in the admin: the operator's page, and the same numbers as /pool/, by permission."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from apps.ai_pool import actions
from apps.ai_pool.actions.confirm import may
from apps.ai_pool.actions.registry import ACTIONS, url_name
from apps.ai_pool.actions.urls import action_urls
from apps.ai_pool.audit.admin import AuditEntryAdmin
from apps.ai_pool.dashboard.page import ask_pool, page_context
from apps.ai_pool.dashboard.period import find_period
from apps.ai_pool.look import Look
from apps.ai_pool.lookout import get_lookout
from apps.ai_pool.models import PoolStatus

__all__ = ("AuditEntryAdmin", "PoolStatusAdmin")

NO_STORE = {"Cache-Control": "no-store"}
ROW_ACTIONS = ("cancel", "front", "known", "unknown", "retry")
TEMPLATES = "admin/ai_pool/poolstatus"


@admin.register(PoolStatus)
class PoolStatusAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """One page and its JSON; nothing can be added, changed or deleted."""

    def get_urls(self) -> list[URLPattern]:
        """Return only our own addresses: the usual ones would ask a table that does not exist."""
        return [
            path(
                "",
                self.admin_site.admin_view(self.status_view),
                name="ai_pool_poolstatus_changelist",
            ),
            path(
                "status.json",
                self.admin_site.admin_view(self.json_view),
                name="ai_pool_poolstatus_json",
            ),
            *action_urls(self),
        ]

    def status_view(self, request: HttpRequest) -> HttpResponse:
        """The page; with ``?format=part`` only the parts that change."""
        self._check(request)
        period = find_period(request.GET.get("period", ""))
        pool = async_to_sync(ask_pool)()
        context = page_context(
            pool,
            period,
            timezone.now(),
            addresses=_addresses(request, pool.status),
            row_addresses=_row_addresses(request),
            messages_url=_list_url(request, "ai_chat", "message"),
            sites_url=_list_url(request, "widget", "site"),
        )
        if request.GET.get("format") == "part":
            return TemplateResponse(request, f"{TEMPLATES}/_part.html", context, headers=NO_STORE)
        context |= {
            **self.admin_site.each_context(request),
            "title": "Pool",
            "opts": self.opts,
            **actions.context(request, pool.status),
        }
        return TemplateResponse(request, f"{TEMPLATES}/status.html", context, headers=NO_STORE)

    def json_view(self, request: HttpRequest) -> HttpResponse:
        """Everything the pool tells about itself, as JSON."""
        self._check(request)
        look = async_to_sync(_look)()
        return HttpResponse(look.for_staff, content_type="application/json", headers=NO_STORE)

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


def _addresses(request: HttpRequest, status: Any) -> dict[str, str]:
    """Return the pages of the actions that are offered to this user, by their names."""
    return {
        action.name: reverse(url_name(action))
        for action in ACTIONS
        if action.is_offered(status) and may(request.user, action)
    }


def _row_addresses(request: HttpRequest) -> dict[str, str]:
    """Return the pages that rows of this page lead to, by the names of the actions."""
    return {
        action.name: reverse(url_name(action))
        for action in ACTIONS
        if action.name in ROW_ACTIONS and may(request.user, action)
    }


async def _look() -> Look:
    return await get_lookout().look(with_line=True)


def _list_url(request: HttpRequest, app: str, model: str) -> str:
    """Return the address of a list in the admin, or "" for who may not see it."""
    if not request.user.has_perm(f"{app}.view_{model}"):
        return ""
    return reverse(f"admin:{app}_{model}_changelist")
