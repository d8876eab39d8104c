"""A copy of everything that is stored of a visitor, for the visitor."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.ai_chat.models import Conversation, Feedback, Message
from apps.ai_chat.visitor import Visitor

FORMAT = "corral-export-1"


def export_visitor(visitor: Visitor) -> dict[str, Any]:
    """Every conversation with every version of every message, as plain JSON values.

    Keys by which the server recognises the visitor are not in it.
    """
    rows = Conversation.objects.filter(visitor=visitor.key).order_by("created")
    return {
        "format": FORMAT,
        "exported": timezone.now().isoformat(),
        "conversations": [_conversation(row) for row in rows],
    }


def _conversation(conversation: Conversation) -> dict[str, Any]:
    messages = conversation.messages.select_related("feedback").order_by("number")
    return {
        "id": str(conversation.id),
        "title": conversation.title,
        "language": conversation.language,
        "created": conversation.created.isoformat(),
        "updated": conversation.updated.isoformat(),
        "messages": [_message(message) for message in messages],
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
        "context": message.context,
        "suggestions": message.suggestions,
        "feedback": None
        if feedback is None
        else {
            "value": feedback.value,
            "reason": feedback.reason,
            "comment": feedback.comment,
        },
    }
