"""Another answer to a question, or more of one."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Message
from apps.ai_chat.services.branches import owned_message, path_to, show_path
from apps.ai_chat.services.questions import check_inflight, new_answer
from apps.ai_chat.services.sent import Sent, sent_for
from apps.ai_chat.services.turn import wait_turn
from apps.ai_chat.visitor import Visitor

EARLY_ENDS = frozenset({"length", "user_stop", "deadline", "memory", "shutdown"})
"""Reasons for which an answer may have had more to say."""


def regenerate(*, visitor: Visitor, generation: uuid.UUID, message_id: uuid.UUID) -> Sent:
    """Prepare another answer to a question of the shown path; the earlier one stays a version.

    ``message_id`` is the question or an answer to it. What followed is hidden.
    """
    try:
        with transaction.atomic():
            wait_turn(visitor)
            message = owned_message(visitor, message_id)
            question = message.question or message
            known = Message.objects.filter(generation=generation).first()
            if known is not None:
                if known.question_id != question.id:
                    raise ChatError("id_taken")
                return sent_for(question, known, is_dup=True)
            if question.is_command or not message.is_current:
                raise ChatError("not_found")
            check_inflight(visitor, question.conversation_id)
            answer = new_answer(question, generation)
            path = path_to(question.conversation_id, answer.id)
            has_moved = show_path(question.conversation_id, path)
    except IntegrityError:
        raise ChatError("id_taken") from None
    return replace(sent_for(question, answer), has_moved=has_moved)


def continue_answer(*, visitor: Visitor, generation: uuid.UUID, message_id: uuid.UUID) -> Sent:
    """Open an answer that ended early again, under a new generation id; its text stays."""
    try:
        with transaction.atomic():
            wait_turn(visitor)
            answer = owned_message(visitor, message_id)
            known = Message.objects.filter(generation=generation).first()
            if known is not None:
                if known.id != answer.id or answer.question is None:
                    raise ChatError("id_taken")
                known_sent = sent_for(answer.question, known, is_dup=True)
                return replace(known_sent, is_continued=True, text=known.text)
            if answer.question is None or not answer.is_current or not can_continue(answer):
                raise ChatError("not_editable")
            check_inflight(visitor, answer.conversation_id)
            answer.state = Message.State.STREAMING
            answer.generation = generation
            answer.reason = answer.error_code = ""
            answer.beat = timezone.now()
            fields = ["state", "generation", "reason", "error_code", "beat"]
            answer.save(update_fields=fields)
    except IntegrityError:
        raise ChatError("id_taken") from None
    return replace(sent_for(answer.question, answer), is_continued=True, text=answer.text)


def can_continue(message: Message) -> bool:
    """True for an answer of the model that has a text and may have had more to say."""
    if message.role != Message.Role.ASSISTANT or message.is_command or not message.text:
        return False
    if message.state == Message.State.STREAMING or message.approved_answer_id is not None:
        return False
    return message.state == Message.State.INTERRUPTED or message.reason in EARLY_ENDS
