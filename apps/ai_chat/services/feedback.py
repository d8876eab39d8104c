"""What visitors think of answers."""

from __future__ import annotations

import uuid

from django.db import transaction

from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Feedback, Message
from apps.ai_chat.services.branches import owned_message
from apps.ai_chat.visitor import Visitor

MAX_REASON_CHARS = 40
MAX_COMMENT_CHARS = 1000


@transaction.atomic
def rate_answer(
    *, visitor: Visitor, message_id: uuid.UUID, value: int, reason: str = "", comment: str = ""
) -> Message:
    """Store a thumb up (1) or down (-1) for a finished answer; 0 takes it back."""
    message = owned_message(visitor, message_id)
    if message.role != Message.Role.ASSISTANT or message.state == Message.State.STREAMING:
        raise ChatError("not_editable")
    if value == 0:
        Feedback.objects.filter(message=message).delete()
    else:
        values = {
            "value": Feedback.Value(value),
            "reason": _clean(reason, MAX_REASON_CHARS),
            "comment": _clean(comment, MAX_COMMENT_CHARS),
        }
        Feedback.objects.update_or_create(message=message, defaults=values)
    return Message.objects.select_related("feedback").get(id=message.id)


def _clean(text: str, max_chars: int) -> str:
    return text.replace("\x00", "").strip()[:max_chars]
