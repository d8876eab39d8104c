"""Who did what to the pool: rows of the admin's own log."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from apps.ai_pool.models import PoolStatus

OBJECT = "pool"
NUM_SHOWN = 5


def note(user: Any, text: str) -> LogEntry:
    """Write down what ``user`` did."""
    return LogEntry.objects.create(
        user_id=user.pk,
        content_type_id=_content_type().pk,
        object_id=OBJECT,
        object_repr="The pool",
        action_flag=CHANGE,
        change_message=text,
    )


def newest() -> QuerySet[LogEntry]:
    """Return the newest rows, whoever did it."""
    rows = LogEntry.objects.filter(content_type=_content_type()).select_related("user")
    return rows.order_by("-action_time", "-pk")[:NUM_SHOWN]


def _content_type() -> ContentType:
    return ContentType.objects.get_for_model(PoolStatus)
