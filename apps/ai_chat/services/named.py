"""Conversations that a program finds again by a name of its own, such as the key of a session."""

from __future__ import annotations

import uuid

from django.utils import timezone

from apps.ai_chat.models import Conversation
from apps.ai_chat.services.questions import clean_text, title_of
from apps.ai_chat.services.welcome import max_chars_for
from apps.ai_chat.visitor import Visitor

_NAMES = uuid.UUID("1d0f5f2e-9a0b-5c36-8f5e-5f6f0c4c8a11")
"""Where ids that are made of names live; changing it loses the way back to them."""


def named_conversation(*, visitor: Visitor, name: str, text: str) -> uuid.UUID:
    """Return the id of the visitor's conversation called ``name``, which begins with the question
    ``text`` if there is none yet. Raises ``empty`` or ``too_long`` for that question."""
    text = clean_text(text, max_chars_for(visitor))
    conversation, _ = Conversation.objects.get_or_create(
        # Who knows somebody else's name for a conversation does not know its id.
        id=uuid.uuid5(_NAMES, f"{visitor.key}\n{name}"),
        defaults={
            "visitor": visitor.key,
            "user_id": visitor.user_id,
            "title": title_of(text),
            "updated": timezone.now(),
        },
    )
    return conversation.id
