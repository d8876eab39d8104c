"""Copies of what is stored: of a visitor for the visitor, and of many for the site's operator."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from apps.ai_chat.models import Conversation, Feedback, Message
from apps.ai_chat.visitor import Visitor
from apps.widget.models import Site

FORMAT = "corral-export-1"
BATCH = 50
"""Conversations that are read at once, so that an export of any size needs little memory and keeps
no transaction open while somebody reads it."""
_LOAD_TESTS = Q(visitor__startswith="l:")


class UnknownVisitor(ValueError):
    """No visitor, or more than one, is meant. The text is one sentence."""


def export_visitor(visitor: Visitor) -> dict[str, Any]:
    """Every conversation with every version of every message, as plain JSON values.

    Keys by which the server recognises the visitor are not in it.
    """
    rows = Conversation.objects.filter(visitor=visitor.key)
    return {
        "format": FORMAT,
        "exported": timezone.now().isoformat(),
        "conversations": [_conversation(row) for row in _in_order(rows)],
    }


def export_chats(
    *,
    visitor_key: str = "",
    conversation: uuid.UUID | None = None,
    site: Site | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield conversations as plain JSON values, the oldest first, each as a visitor's own copy has
    it, with the name of the website and the visitor's pseudonym.

    All of them, or those of one visitor, one conversation, one website. What simulated visitors
    wrote is left out.
    """
    rows = Conversation.objects.exclude(_LOAD_TESTS)
    if visitor_key:
        rows = rows.filter(visitor=visitor_key)
    if conversation is not None:
        rows = rows.filter(id=conversation)
    if site is not None:
        rows = rows.filter(site=site)
    for row in _in_order(rows):
        yield {
            "format": FORMAT,
            "site": row.site.name if row.site is not None else None,
            "visitor": Visitor(key=row.visitor).pseudonym,
            **_conversation(row),
        }


def find_visitor_key(name: str) -> str:
    """Return the key of the visitor with this pseudonym (``v-31a0c2``), as the pool's page and
    exports show it, or with this user name. Raises UnknownVisitor."""
    users = Conversation.objects.filter(user__username=name).exclude(_LOAD_TESTS)
    keys = set(users.values_list("visitor", flat=True).distinct())
    everybody = Conversation.objects.exclude(_LOAD_TESTS).order_by().values_list("visitor")
    for (key,) in everybody.distinct().iterator():
        if Visitor(key=key).pseudonym == name.lower():
            keys.add(key)
    if len(keys) == 1:
        return keys.pop()
    if keys:
        raise UnknownVisitor(f"{name} is the name of {len(keys)} visitors; name a conversation.")
    raise UnknownVisitor(f"No visitor called {name} has written anything that is stored.")


def _in_order(rows: QuerySet[Conversation]) -> Iterator[Conversation]:
    """The rows by age, read in batches; what is written meanwhile comes at the end."""
    messages = Message.objects.select_related("feedback").order_by("number")
    rows = rows.select_related("site").prefetch_related(Prefetch("messages", queryset=messages))
    rows = rows.order_by("created", "id")
    behind = Q()
    while batch := list(rows.filter(behind)[:BATCH]):
        yield from batch
        last = batch[-1]
        behind = Q(created__gt=last.created) | Q(created=last.created, id__gt=last.id)


def _conversation(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": str(conversation.id),
        "title": conversation.title,
        "language": conversation.language,
        "created": conversation.created.isoformat(),
        "updated": conversation.updated.isoformat(),
        "messages": [_message(message) for message in conversation.messages.all()],
    }


def _message(message: Message) -> dict[str, Any]:
    feedback: Feedback | None = getattr(message, "feedback", None)
    return {
        "id": str(message.id),
        "parent": str(message.parent_id) if message.parent_id else None,
        "role": message.role,
        "text": message.text,
        "state": message.state,
        "created": message.created.isoformat(),
        "is_shown": message.is_current,
        "context": dict(message.context),
        "suggestions": message.suggestions,
        "feedback": None
        if feedback is None
        else {
            "value": feedback.value,
            "reason": feedback.reason,
            "comment": feedback.comment,
        },
    }
