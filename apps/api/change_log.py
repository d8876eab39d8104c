"""Who changed what over the API: rows of the admin's own log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from rest_framework.request import Request

from apps.api.models import ApiKey

STAND_IN = "api-keys"
"""User that rows about keys nobody is named for belong to; it can not sign in."""


def log_creation(request: Request, row: Model) -> LogEntry:
    """Note that ``row`` was made."""
    return _log(request, row, ADDITION, "Added over the API.")


def log_change(request: Request, row: Model, fields: Iterable[str]) -> LogEntry:
    """Note that these fields of ``row`` were changed."""
    return _log(request, row, CHANGE, f"Changed {', '.join(fields) or 'nothing'} over the API.")


def log_deletion(request: Request, row: Model) -> LogEntry:
    """Note that ``row`` is deleted; called before it is."""
    return _log(request, row, DELETION, "Deleted over the API.")


def owner_of(key: ApiKey) -> Any:
    """The user who answers for what a key does: whoever made it, or a stand-in."""
    if key.created_by is not None:
        return key.created_by
    users: Any = get_user_model()
    names = {users.USERNAME_FIELD: STAND_IN}
    user, is_new = users.objects.get_or_create(**names, defaults={"is_active": False})
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _log(request: Request, row: Model, flag: int, text: str) -> LogEntry:
    user = request.user
    if isinstance(request.auth, ApiKey):
        key = request.auth
        user, text = owner_of(key), f"{text} By the key {key}."
    return LogEntry.objects.create(
        user_id=user.pk,
        content_type_id=ContentType.objects.get_for_model(row).pk,
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=text,
    )
