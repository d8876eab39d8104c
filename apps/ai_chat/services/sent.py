"""What came of a question: where it stands and where its answer will."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A stored question and the place where its answer will stand."""

    conversation: uuid.UUID
    message: uuid.UUID
    answer: uuid.UUID
    generation: uuid.UUID
    is_dup: bool = False
    """The question was stored earlier already; nothing was changed."""
    is_new_conversation: bool = False
    is_command: bool = False
    is_continued: bool = False
    """The answer has a text already and goes on behind it."""
    text: str = ""
    """That text."""
    has_moved: bool = False
    """Messages that were shown are not shown any more: another branch begins."""


def sent_for(question: Message, answer: Message, *, is_dup: bool = False) -> Sent:
    """A question that is stored and an answer to it."""
    if answer.generation is None:
        raise ChatError("not_found")
    return Sent(
        conversation=question.conversation_id,
        message=question.id,
        answer=answer.id,
        generation=answer.generation,
        is_dup=is_dup,
        is_command=question.is_command,
    )
