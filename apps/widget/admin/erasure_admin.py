"""Proof of erasures in the admin; nothing can be changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.widget.models import Erasure


@admin.register(Erasure)
class ErasureAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """When something was erased and how much, and never of whom."""

    list_display = ("created", "site", "num_conversations", "num_messages")
    list_filter = ("site",)
    date_hierarchy = "created"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No: proof stays."""
        return False
