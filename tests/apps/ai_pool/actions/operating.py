"""A member of staff at the pool's page in the admin."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.ai_pool.actions.registry import ACTIONS, url_name

PAGE = "/admin/ai_pool/poolstatus/"
NAMES = [action.name for action in ACTIONS]


def client_of(*permissions: str, may_view: bool = True) -> Client:
    """Return a client of a member of staff with these permissions."""
    user = get_user_model().objects.create(username="olga", is_staff=True)
    codenames = [*permissions, *(["view_poolstatus"] if may_view else [])]
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    client = Client(enforce_csrf_checks=False)
    client.force_login(user)
    return client


def permission_of(name: str) -> str:
    return next(action.permission for action in ACTIONS if action.name == name)


def address(name: str) -> str:
    return reverse(url_name(name))


def noted() -> list[str]:
    """Return what was written down, newest first."""
    return [entry.change_message for entry in LogEntry.objects.order_by("-pk")]
