"""How long lists are cut into pages: behind a place, not a number, so that pages do not shift when
something new comes."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as BadValue
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination

MAX_CURSOR_CHARS = 1000
NO_PAGE = "There is no such page; take the addresses in `next` and `previous`."


class Pages(CursorPagination):
    """``?cursor=&limit=``; answers with ``next``, ``previous``, ``results``."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        """Return the rows of the page. Raises ValidationError for a cursor that is none of ours."""
        asked = request.query_params.get(self.cursor_query_param)
        if asked is None:
            return super().paginate_queryset(queryset, request, view)
        # What is in it comes from anybody, and goes into a comparison with a date or a number.
        try:
            return super().paginate_queryset(queryset, request, view)
        except (BadValue, ValueError, OverflowError, exceptions.NotFound):
            raise exceptions.ValidationError({"cursor": NO_PAGE}) from None

    def decode_cursor(self, request: Any) -> Any:
        """Where the page begins."""
        if len(request.query_params.get(self.cursor_query_param, "")) > MAX_CURSOR_CHARS:
            raise ValueError("too long")
        found = super().decode_cursor(request)
        if found is not None and "\x00" in (found.position or ""):
            raise ValueError("holds a NUL")
        return found


class ConversationPages(Pages):
    """Newest first."""

    ordering = ("-updated", "-id")


class MessagePages(Pages):
    """In the order of the conversation."""

    ordering = ("number",)


class ApprovedAnswerPages(Pages):
    """The one that was changed last first."""

    ordering = ("-updated", "-id")


class SitePages(Pages):
    """By name."""

    ordering = ("name", "id")
