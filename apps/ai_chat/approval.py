"""What staff have approved for a question, looked up before the model is asked."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from apps.ai_chat import approved_answers
from apps.ai_chat.models import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """``text`` is the answer for exactly this question, or None; ``near`` are similar questions."""

    text: str | None = None
    near: tuple[str, ...] = ()


NOTHING = Approval()


def find_approval(*, answer_id: uuid.UUID) -> Approval:
    """Look up the question of this answer, and note in its row what was found.

    Who asks for another answer to the same question wants the model's: nothing is found then.
    Uses the database; raises Message.DoesNotExist.
    """
    rows = Message.objects.select_related("question", "conversation")
    answer = rows.get(id=answer_id)
    question, conversation = answer.question, answer.conversation
    if question is None or answer.is_command:
        return NOTHING
    where = {"site_id": conversation.site_id, "language": conversation.language}
    if not approved_answers.has_any(**where):
        return NOTHING
    if question.answers.exclude(id=answer_id).exists():
        return NOTHING
    found = approved_answers.find_answer(**where, text=question.text)
    row = Message.objects.filter(id=answer_id)
    if found is not None:
        row.update(approved_answer=found)
        return Approval(text=found.text)
    near = approved_answers.find_near(**where, text=question.text)
    if near:
        row.update(suggestions=list(near))
    return Approval(near=near)
