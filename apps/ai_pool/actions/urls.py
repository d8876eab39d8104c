"""The addresses of the actions, below the pool's page in the admin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.urls import URLPattern, path

from apps.ai_pool.actions.confirm import confirm
from apps.ai_pool.actions.registry import ACTIONS, url_name

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


def action_urls(admin: ModelAdmin) -> list[URLPattern]:  # type: ignore[type-arg]
    """Return one address for each action; for ``get_urls`` of the pool's admin."""
    return [
        path(
            f"actions/{action.name}/",
            admin.admin_site.admin_view(partial(confirm, admin=admin, action=action)),
            name=url_name(action).removeprefix("admin:"),
        )
        for action in ACTIONS
    ]
