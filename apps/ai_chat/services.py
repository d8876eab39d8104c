"""The one door to conversations: every rule about them is here, for socket, API, admin, commands.

All functions are synchronous and use the database; from a coroutine call them through
``database_sync_to_async``. They raise ChatError with what the visitor reads. Somebody else's
conversation, message or generation is always ``not_found``.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, transaction
from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from ai_model.prompt import ChatMessage, Role
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.visitor import Visitor

MAX_TITLE_CHARS = 60
MAX_HISTORY_CHARS = 200_000
"""Enough for any context, and well below what one frame to the pool may hold."""
MAX_HISTORY_MESSAGES = 200
STALE_AFTER = timedelta(seconds=12)
"""An answer in the making without a sign of life for so long has lost its process."""


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


# Asking


def send_message(
    *,
    visitor: Visitor,
    cid: uuid.UUID,
    generation: uuid.UUID,
    text: str,
    conversation_id: uuid.UUID | None = None,
) -> Sent:
    """Store a question and the empty answer to it, both or neither.

    ``cid`` and ``generation`` are chosen by the sender, so that sending the same again after a
    lost connection stores nothing twice. Without ``conversation_id`` a conversation begins.
    """
    dup = _sent_before(visitor, cid)
    if dup is not None:
        return dup
    text = clean_text(text)
    command = is_command(text)
    try:
        with transaction.atomic():
            # Once more, now that nobody else writes: it may have arrived twice at once.
            dup = _sent_before(visitor, cid)
            if dup is not None:
                return dup
            if not command:
                _check_inflight(visitor, conversation_id)
            conversation, is_new = _conversation_for(visitor, conversation_id, text)
            place = _next_place(conversation)
            question = Message.objects.create(
                conversation=conversation,
                number=place,
                role=Message.Role.USER,
                text=text,
                visitor=visitor.key,
                cid=cid,
                is_command=command,
            )
            answer = _new_answer(question, generation, place + 1)
    except IntegrityError:
        # A database that lets two write at once, or a generation id that is used already.
        dup = _sent_before(visitor, cid)
        if dup is None:
            raise ChatError("id_taken") from None
        return dup
    return Sent(
        conversation=conversation.id,
        message=question.id,
        answer=answer.id,
        generation=generation,
        is_new_conversation=is_new,
        is_command=command,
    )


def regenerate(*, visitor: Visitor, generation: uuid.UUID, message_id: uuid.UUID) -> Sent:
    """Prepare another answer to the last question; ``message_id`` is the question or its answer."""
    with transaction.atomic():
        message = Message.objects.filter(id=message_id, conversation__visitor=visitor.key).first()
        if message is None:
            raise ChatError("not_found")
        question = message.question or message
        last = Message.objects.filter(conversation=question.conversation_id, role=Message.Role.USER)
        if question.role != Message.Role.USER or question.is_command:
            raise ChatError("not_found")
        if last.order_by("-number").values_list("id", flat=True).first() != question.id:
            raise ChatError("not_found")
        known = Message.objects.filter(generation=generation).first()
        if known is not None:
            if known.question_id != question.id:
                raise ChatError("id_taken")
            return _sent_for(question, known, is_dup=True)
        _check_inflight(visitor, question.conversation_id)
        question.answers.update(is_current=False)
        answer = _new_answer(question, generation, _next_place(question.conversation))
    return _sent_for(question, answer)


def clean_text(text: str) -> str:
    """The question as it is stored; raises ``empty`` or ``too_long``."""
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise ChatError("empty")
    excess = len(text) - settings.CORRAL_MAX_CHARS
    if excess > 0:
        raise ChatError("too_long", n=excess)
    return text


def is_command(text: str) -> bool:
    """True for a line that asks for the pool's state instead of an answer of the model."""
    return text.split(maxsplit=1)[:1] == ["/pool"]


def _sent_before(visitor: Visitor, cid: uuid.UUID) -> Sent | None:
    question = Message.objects.filter(visitor=visitor.key, cid=cid).first()
    if question is None:
        return None
    answer = question.answers.filter(is_current=True).first()
    return None if answer is None else _sent_for(question, answer, is_dup=True)


def _sent_for(question: Message, answer: Message, *, is_dup: bool = False) -> Sent:
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


def _check_inflight(visitor: Visitor, conversation_id: uuid.UUID | None) -> None:
    live = Message.objects.filter(
        state=Message.State.STREAMING, conversation__visitor=visitor.key, is_command=False
    ).values_list("conversation_id", flat=True)
    if len(live) >= settings.CORRAL_MAX_INFLIGHT or conversation_id in live:
        raise ChatError("inflight_limit")


def _conversation_for(
    visitor: Visitor, conversation_id: uuid.UUID | None, text: str
) -> tuple[Conversation, bool]:
    now = timezone.now()
    if conversation_id is None:
        conversation = Conversation.objects.create(
            visitor=visitor.key, user_id=visitor.user_id, title=title_of(text), updated=now
        )
        return conversation, True
    owned = Conversation.objects.select_for_update().filter(visitor=visitor.key)
    found = owned.filter(id=conversation_id).first()
    if found is None:
        raise ChatError("not_found")
    found.updated = now
    found.save(update_fields=["updated"])
    return found, False


def _next_place(conversation: Conversation) -> int:
    return (conversation.messages.aggregate(last=Max("number"))["last"] or 0) + 1


def _new_answer(question: Message, generation: uuid.UUID, place: int) -> Message:
    return Message.objects.create(
        conversation=question.conversation,
        number=place,
        role=Message.Role.ASSISTANT,
        state=Message.State.STREAMING,
        question=question,
        generation=generation,
        is_command=question.is_command,
        beat=timezone.now(),
    )


def title_of(text: str) -> str:
    """A title made of a conversation's first question."""
    title = " ".join(text.split())
    if len(title) <= MAX_TITLE_CHARS:
        return title
    return title[: MAX_TITLE_CHARS - 1].rsplit(" ", 1)[0] + "\u2026"


# Conversations


def list_conversations(*, visitor: Visitor) -> QuerySet[Conversation]:
    """The visitor's conversations, newest first, each with ``live``: its running generation."""
    streaming = Message.objects.filter(conversation=OuterRef("pk"), state=Message.State.STREAMING)
    live = Subquery(streaming.values("generation")[:1])
    return Conversation.objects.filter(visitor=visitor.key).annotate(live=live)


def get_conversation(*, visitor: Visitor, conversation_id: uuid.UUID) -> Conversation:
    """One conversation of the visitor."""
    found = list_conversations(visitor=visitor).filter(id=conversation_id).first()
    if found is None:
        raise ChatError("not_found")
    return found


def current_messages(*, conversation: Conversation) -> QuerySet[Message]:
    """The messages to show: every question with the newest answer to it."""
    return conversation.messages.filter(is_current=True).order_by("number")


def rename_conversation(
    *, visitor: Visitor, conversation_id: uuid.UUID, title: str
) -> Conversation:
    """Give a conversation another title."""
    conversation = get_conversation(visitor=visitor, conversation_id=conversation_id)
    conversation.title = " ".join(title.replace("\x00", "").split())[:120]
    if not conversation.title:
        raise ChatError("empty")
    conversation.save(update_fields=["title"])
    return conversation


def delete_conversation(*, visitor: Visitor, conversation_id: uuid.UUID) -> tuple[uuid.UUID, ...]:
    """Delete a conversation; returns the generations that were still running in it."""
    conversation = get_conversation(visitor=visitor, conversation_id=conversation_id)
    streaming = conversation.messages.filter(state=Message.State.STREAMING)
    running = tuple(g for g in streaming.values_list("generation", flat=True) if g is not None)
    conversation.delete()
    return running


# Answers in the making


def prompt_messages(*, answer_id: uuid.UUID) -> tuple[ChatMessage, ...]:
    """What the model is shown for an answer: the system prompt and the conversation before it.

    Questions without an answer, commands and replaced answers are left out. The pool drops the
    oldest exchanges that do not fit the model's context.
    """
    answer = Message.objects.select_related("question").get(id=answer_id)
    question = answer.question
    if question is None:
        raise ChatError("not_found")
    earlier = Message.objects.filter(
        conversation=answer.conversation_id,
        number__lt=question.number,
        role=Message.Role.ASSISTANT,
        is_current=True,
        is_command=False,
    ).exclude(text="")
    room = MAX_HISTORY_CHARS - len(question.text)
    turns: list[ChatMessage] = [ChatMessage(Role.USER, question.text)]
    for reply in earlier.select_related("question").order_by("-number")[
        : MAX_HISTORY_MESSAGES // 2
    ]:
        asked = reply.question.text if reply.question else ""
        room -= len(asked) + len(reply.text)
        if room < 0:
            break
        turns += [ChatMessage(Role.ASSISTANT, reply.text), ChatMessage(Role.USER, asked)]
    return (ChatMessage(Role.SYSTEM, settings.CORRAL_SYSTEM_PROMPT), *reversed(turns))


def save_progress(*, answer_id: uuid.UUID, text: str) -> None:
    """Keep what there is of an answer, and note that its process is alive."""
    Message.objects.filter(id=answer_id, state=Message.State.STREAMING).update(
        text=text, beat=timezone.now()
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
    """Answers in the making that no process of ``excluding`` makes, each with its visitor's key."""
    rows = Message.objects.filter(state=Message.State.STREAMING).select_related("conversation")
    return [(row, row.conversation.visitor) for row in rows if row.generation not in excluding]


def is_abandoned(*, answer_id: uuid.UUID) -> bool:
    """True if the process that made this answer gives no sign of life any more."""
    beat = Message.objects.filter(id=answer_id, state=Message.State.STREAMING).values_list(
        "beat", flat=True
    )
    return any(value is None or timezone.now() - value > STALE_AFTER for value in beat)


def is_still_signed_in(*, visitor: Visitor) -> bool:
    """False once the user of an open socket logged out or was switched off."""
    if visitor.user_id is None:
        return True
    if not get_user_model().objects.filter(pk=visitor.user_id, is_active=True).exists():
        return False
    return not visitor.session_key or SessionStore().exists(visitor.session_key)
