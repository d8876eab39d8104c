"""The audit log in the admin: to read, to filter, and to take along as a table."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from apps.ai_pool.audit.records import AuditEntry

COLUMNS = ("at", "kind", "who", "place", "what", "subject")
ROWS_AT_ONCE = 500
# A spreadsheet takes what begins with these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nothing can be added, changed or deleted: `manage.py chat_prune` forgets what is old."""

    list_display = COLUMNS
    list_display_links = None
    list_filter = ("kind", "at", "who")
    search_fields = ("who", "what", "subject", "place")
    date_hierarchy = "at"
    list_per_page = 100
    actions = ("export",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Entries are made by changes."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes what was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not even what oneself has done."""
        return False

    @admin.action(description="Export the selected entries as CSV", permissions=["view"])
    def export(self, request: HttpRequest, entries: QuerySet[AuditEntry]) -> HttpResponse:
        """As a table, newest first."""
        response = HttpResponse(_text(entries), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
        response["Cache-Control"] = "no-store"
        return response


def _text(entries: QuerySet[AuditEntry]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in entries.iterator(ROWS_AT_ONCE):
        writer.writerow([_harmless(_value(entry, column)) for column in COLUMNS])
    return out.getvalue()


def _value(entry: AuditEntry, column: str) -> str:
    return entry.at.isoformat() if column == "at" else str(getattr(entry, column))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
