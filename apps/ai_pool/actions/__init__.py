"""What an operator may do to the pool in the admin: pages, permissions, and what is noted of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest

    from ai_model.pool.status import PoolStatus


def context(request: HttpRequest, status: PoolStatus) -> dict[str, Any]:
    """Return what ``admin/ai_pool/poolstatus/_actions.html`` shows: only what this user may do."""
    # Not before it is asked for: the application's models live below this package.
    from apps.ai_pool.actions.panel import panel_context

    return panel_context(request, status)
