"""How long lists are cut into pages."""

from __future__ import annotations

from rest_framework.pagination import LimitOffsetPagination


class ListPagination(LimitOffsetPagination):
    """``?limit=&offset=``; answers with ``count``, ``next``, ``previous``, ``results``."""

    default_limit = 50
    max_limit = 200
