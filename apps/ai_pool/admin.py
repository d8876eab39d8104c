"""The pool in the admin: the same numbers as /pool/, behind a permission."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from apps.ai_pool import services
from apps.ai_pool.models import PoolStatus
from apps.ai_pool.table import live_context


@admin.register(PoolStatus)
class PoolStatusAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """One page and its JSON; nothing can be added, changed or deleted."""

    def get_urls(self) -> list[URLPattern]:
        """Return only our two addresses: the usual ones would ask a table that does not exist."""
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
        ]

    def status_view(self, request: HttpRequest) -> HttpResponse:
        """The page; with ``?format=part`` only the part that changes."""
        status = self._status(request)
        context = {
            **self.admin_site.each_context(request),
            **live_context(status),
            "title": "Pool status",
            "opts": self.opts,
            "text": status.as_text(),
            "is_staff": True,
        }
        is_part = request.GET.get("format") == "part"
        template = "ai_pool/_live.html" if is_part else "admin/ai_pool/poolstatus/status.html"
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})

    def json_view(self, request: HttpRequest) -> HttpResponse:
        """Everything as JSON."""
        return JsonResponse(services.staff_form(self._status(request)))

    def _status(self, request: HttpRequest) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return async_to_sync(services.pool_status)()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False
