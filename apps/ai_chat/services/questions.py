"""Asking: a question and the empty answer to it are stored together, once."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services.branches import last_shown, owned_message, path_to, show_path
from apps.ai_chat.services.sent import Sent, sent_for
from apps.ai_chat.services.turn import wait_turn
from apps.ai_chat.services.welcome import max_chars_for, max_inflight_for
from apps.ai_chat.visitor import Visitor

MAX_TITLE_CHARS = 60
MAX_COMMANDS = 10
COMMANDS_PERIOD_S = 60.0
"""Of one visitor, so many look at the pool within this time."""


def send_message(
    *,
    visitor: Visitor,
    cid: uuid.UUID,
    generation: uuid.UUID,
    text: str,
    conversation_id: uuid.UUID | None = None,
    parent_id: uuid.UUID | None = None,
    context: dict[str, str] | None = None,
    language: str = "",
) -> Sent:
    """Store a question and the empty answer to it, both or neither.

    ``cid`` and ``generation`` are chosen by the sender, so that sending the same again after a
    lost connection stores nothing twice. Without ``conversation_id`` a conversation begins. The
    question follows the answer ``parent_id``, or what is shown last. ``context`` is what the page
    told about itself.
    """

    def store(text: str) -> Sent:
        if is_command(text):
            _check_commands(visitor)
        else:
            check_inflight(visitor, conversation_id)
        conversation = _conversation_for(visitor, conversation_id, text, language)
        is_new = conversation_id is None
        last = None if is_new else last_shown(conversation)
        parent = last if parent_id is None else _parent(conversation, parent_id)
        question = _new_question(
            conversation,
            parent,
            number=1 if is_new else _next_number(conversation),
            visitor=visitor,
            cid=cid,
            text=text,
            context=context or {},
        )
        # Behind what is shown last, nothing else has to be shown or hidden.
        sent = _open_answer(question, generation, is_branch=parent != last)
        return replace(sent, is_new_conversation=is_new)

    return _once(visitor, cid, text, store)


def edit_message(
    *,
    visitor: Visitor,
    cid: uuid.UUID,
    generation: uuid.UUID,
    message_id: uuid.UUID,
    text: str,
) -> Sent:
    """Store a question in other words, as a new version beside the old one, which stays.

    What followed the old version is hidden with it.
    """

    def store(text: str) -> Sent:
        old = owned_message(visitor, message_id)
        if old.role != Message.Role.USER or old.is_command or is_command(text):
            raise ChatError("not_editable")
        check_inflight(visitor, old.conversation_id)
        question = _new_question(
            old.conversation,
            old.parent,
            number=_next_number(old.conversation),
            visitor=visitor,
            cid=cid,
            text=text,
            context=dict(old.context),
        )
        return _open_answer(question, generation, is_branch=True)

    return _once(visitor, cid, text, store)


def was_sent(*, visitor: Visitor, cid: uuid.UUID) -> bool:
    """True if this question is stored already."""
    return _sent_before(visitor, cid) is not None


def clean_text(text: str, max_chars: int | None = None) -> str:
    """The question as it is stored; raises ``empty`` or ``too_long``."""
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise ChatError("empty")
    excess = len(text) - (max_chars_for() if max_chars is None else max_chars)
    if excess > 0:
        raise ChatError("too_long", n=excess)
    return text


def is_command(text: str) -> bool:
    """True for a line that asks for the pool's state instead of an answer of the model."""
    return text.split(maxsplit=1)[:1] == ["/pool"]


def title_of(text: str) -> str:
    """A title made of a conversation's first question."""
    title = " ".join(text.split())
    if len(title) <= MAX_TITLE_CHARS:
        return title
    return title[: MAX_TITLE_CHARS - 1].rsplit(" ", 1)[0] + "\u2026"


def check_inflight(visitor: Visitor, conversation_id: uuid.UUID | None) -> None:
    """Raise ``inflight_limit`` when the visitor waits for enough answers already."""
    live = Message.objects.filter(
        state=Message.State.STREAMING, conversation__visitor=visitor.key, is_command=False
    ).values_list("conversation_id", flat=True)
    if len(live) >= max_inflight_for(visitor) or conversation_id in live:
        raise ChatError("inflight_limit")


def _check_commands(visitor: Visitor) -> None:
    """Raise ``rate_limited`` when the visitor has asked for the pool's state often enough.

    The line does not bound these, and each is stored.
    """
    since = timezone.now() - timedelta(seconds=COMMANDS_PERIOD_S)
    asked = Message.objects.filter(
        conversation__visitor=visitor.key,
        is_command=True,
        role=Message.Role.USER,
        created__gte=since,
    ).order_by("created")[:MAX_COMMANDS]
    times = list(asked.values_list("created", flat=True))
    if len(times) >= MAX_COMMANDS:
        wait_s = math.ceil((times[0] - since).total_seconds())
        raise ChatError("rate_limited", retry_after_s=max(1, wait_s))


def new_answer(question: Message, generation: uuid.UUID, *, number: int | None = None) -> Message:
    """An empty answer in the making, at the end of the conversation, which is place ``number``."""
    return Message.objects.create(
        conversation=question.conversation,
        number=_next_number(question.conversation) if number is None else number,
        role=Message.Role.ASSISTANT,
        state=Message.State.STREAMING,
        question=question,
        parent=question,
        generation=generation,
        is_command=question.is_command,
        beat=timezone.now(),
    )


def _once(visitor: Visitor, cid: uuid.UUID, text: str, store: Callable[[str], Sent]) -> Sent:
    """Store a question in one transaction, with ``text`` as it is kept, unless it is stored."""
    try:
        text = clean_text(text, max_chars_for(visitor))
    except ChatError:
        # When it was stored, more may have been allowed.
        known = _sent_before(visitor, cid)
        if known is None:
            raise
        return known
    try:
        with transaction.atomic():
            wait_turn(visitor)
            # Looked for while nobody else writes: it may arrive twice at once.
            return _sent_before(visitor, cid) or store(text)
    except IntegrityError:
        # A database that lets two write at once, or a generation id that is used already.
        known = _sent_before(visitor, cid)
        if known is None:
            raise ChatError("id_taken") from None
        return known


def _open_answer(question: Message, generation: uuid.UUID, *, is_branch: bool) -> Sent:
    """Add the empty answer; show the path that ends with it, if it may be another one."""
    answer = new_answer(question, generation, number=question.number + 1)
    has_moved = False
    if is_branch:
        path = path_to(question.conversation_id, answer.id)
        has_moved = show_path(question.conversation_id, path)
    return replace(sent_for(question, answer), has_moved=has_moved)


def _sent_before(visitor: Visitor, cid: uuid.UUID) -> Sent | None:
    question = Message.objects.filter(visitor=visitor.key, cid=cid).first()
    if question is None:
        return None
    # The newest one that is shown, or the newest one if the question itself is hidden.
    answer = question.answers.order_by("-is_current", "-number").first()
    return None if answer is None else sent_for(question, answer, is_dup=True)


def _parent(conversation: Conversation, parent_id: uuid.UUID) -> Message:
    answers = conversation.messages.filter(role=Message.Role.ASSISTANT)
    parent = answers.filter(id=parent_id).first()
    if parent is None:
        raise ChatError("not_found")
    return parent


def _new_question(
    conversation: Conversation,
    parent: Message | None,
    *,
    number: int,
    visitor: Visitor,
    cid: uuid.UUID,
    text: str,
    context: dict[str, str],
) -> Message:
    # Who writes has seen what was there.
    conversation.num_read = max(conversation.num_read, number)
    conversation.updated = timezone.now()
    is_new = conversation._state.adding
    conversation.save(update_fields=None if is_new else ["num_read", "updated"])
    question = Message.objects.create(
        conversation=conversation,
        number=number,
        role=Message.Role.USER,
        text=text,
        parent=parent,
        visitor=visitor.key,
        cid=cid,
        context=list(context.items()),
        is_command=is_command(text),
    )
    return question


def _conversation_for(
    visitor: Visitor, conversation_id: uuid.UUID | None, text: str, language: str
) -> Conversation:
    """The visitor's, or a new one, which is not stored yet."""
    if conversation_id is None:
        return Conversation(
            visitor=visitor.key,
            user_id=visitor.user_id,
            site_id=visitor.site_id,
            language=language,
            title=title_of(text),
        )
    owned = Conversation.objects.select_for_update().filter(visitor=visitor.key)
    found = owned.filter(id=conversation_id).first()
    if found is None:
        raise ChatError("not_found")
    return found


def _next_number(conversation: Conversation) -> int:
    return (conversation.messages.aggregate(last=Max("number"))["last"] or 0) + 1
