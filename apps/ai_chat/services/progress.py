"""Answers in the making: kept while they grow, stored when they end, found again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.visitor import Visitor

FRESH = timedelta(seconds=2)
STALE_AFTER = timedelta(seconds=12)
"""An answer in the making without a sign of life for so long has lost its process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an answer ended, with its numbers; None is unknown."""

    state: Message.State
    reason: str = ""
    error_code: str = ""
    num_trimmed_turns: int = 0
    num_prompt_tokens: int | None = None
    num_cached_tokens: int | None = None
    num_completion_tokens: int | None = None
    queue_ms: int | None = None
    ttft_ms: int | None = None
    gen_ms: int | None = None
    tok_s: float | None = None
    quality: str = ""


def save_progress(texts: Mapping[uuid.UUID, str]) -> None:
    """Keep what there is of answers, by their ids, and note that their process is alive."""
    now = timezone.now()
    with transaction.atomic():
        # Always in the same order: two processes must not wait for each other's rows.
        for answer_id in sorted(texts):
            Message.objects.filter(id=answer_id, state=Message.State.STREAMING).update(
                text=texts[answer_id], beat=now
            )


def save_answer(*, answer_id: uuid.UUID, text: str, ending: Ending) -> bool:
    """Store the end of an answer; False if it has an end already or was deleted meanwhile."""
    values: dict[str, Any] = {
        name: getattr(ending, name) for name in Ending.__dataclass_fields__ if name != "state"
    }
    with transaction.atomic():
        num_rows = Message.objects.filter(id=answer_id, state=Message.State.STREAMING).update(
            state=ending.state, text=text, beat=None, **values
        )
        if num_rows:
            Conversation.objects.filter(messages=answer_id).update(updated=timezone.now())
    return num_rows > 0


def find_answer(*, visitor: Visitor, generation: uuid.UUID) -> Message:
    """The visitor's answer with this generation id."""
    found = Message.objects.filter(generation=generation, conversation__visitor=visitor.key).first()
    if found is None:
        raise ChatError("not_found")
    return found


def live_answers(*, visitor: Visitor) -> list[Message]:
    """The visitor's answers that are waiting or being written."""
    return list(
        Message.objects.filter(
            state=Message.State.STREAMING, conversation__visitor=visitor.key
        ).order_by("created")
    )


def streaming_answers(*, excluding: Sequence[uuid.UUID]) -> list[tuple[Message, str]]:
    """Answers in the making that no process of ``excluding`` makes, each with its visitor's key.

    An answer that gave a sign of life this moment is left out: it was stored an instant ago, and
    whoever stored it is about to submit it.
    """
    rows = (
        Message.objects.filter(state=Message.State.STREAMING)
        .exclude(beat__gt=timezone.now() - FRESH)
        .select_related("conversation")
    )
    return [(row, row.conversation.visitor) for row in rows if row.generation not in excluding]


def is_abandoned(*, answer_id: uuid.UUID) -> bool:
    """True if the process that made this answer gives no sign of life any more."""
    beat = Message.objects.filter(id=answer_id, state=Message.State.STREAMING).values_list(
        "beat", flat=True
    )
    return any(value is None or timezone.now() - value > STALE_AFTER for value in beat)
