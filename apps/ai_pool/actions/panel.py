"""The operator's part of the pool's page: buttons, changed limits, banner, last test and deeds."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from ai_model.pool.status import PoolStatus
from apps.ai_pool.actions.banner import banner_fields, current_banner
from apps.ai_pool.actions.confirm import may
from apps.ai_pool.actions.limits import LABELS
from apps.ai_pool.actions.record_keeping import newest
from apps.ai_pool.actions.registry import ACTIONS, url_name
from apps.ai_pool.actions.self_test import last_result
from apps.ai_pool.table import duration


def panel_context(request: HttpRequest, status: PoolStatus) -> dict[str, Any]:
    """Return the context of ``_actions.html``, all of it below ``actions``."""
    allowed = {action.name: action for action in ACTIONS if may(request.user, action)}
    buttons = [
        {"url": reverse(url_name(action)), "label": action.label, "is_grave": action.is_grave}
        for action in allowed.values()
        if action.is_offered(status)
    ]
    return {
        "actions": {
            "buttons": buttons,
            "is_any": bool(allowed),
            "limits": _limits(status),
            "undo_url": _url_if("unlimit", allowed),
            "banner": _banner(),
            "remove_url": _url_if("unbanner", allowed),
            "cancel_url": _url_if("cancel", allowed),
            "test": last_result(),
            "deeds": list(newest()) if allowed else [],
        }
    }


def _limits(status: PoolStatus) -> list[dict[str, Any]]:
    return [
        {
            "name": str(one.name),
            "label": LABELS[one.name],
            "value": one.value,
            "usual": one.usual,
            "left": duration(one.left_s),
        }
        for one in status.limits
    ]


def _banner() -> dict[str, Any] | None:
    fields = banner_fields(current_banner())
    if fields is None:
        return None
    left_s = fields["left_s"]
    return fields | {"left": "" if left_s is None else duration(left_s)}


def _url_if(name: str, allowed: dict[str, Any]) -> str:
    """Return the address of an action, or "" when this user may not do it."""
    return reverse(url_name(name)) if name in allowed else ""
