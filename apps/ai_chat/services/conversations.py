"""A visitor's conversations: listed, shown, read, renamed, deleted."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services.branches import with_versions
from apps.ai_chat.visitor import Visitor

MAX_TITLE_CHARS = 120
_UNREAD = Q(
    messages__number__gt=F("num_read"),
    messages__is_current=True,
    messages__role=Message.Role.ASSISTANT,
) & ~Q(messages__state=Message.State.STREAMING)


def list_conversations(
    *, visitor: Visitor, site_key: str = "", since: datetime | None = None, title: str = ""
) -> QuerySet[Conversation]:
    """The visitor's conversations, newest first.

    Each has ``live``, its running generation, and ``num_unread``, its finished answers that were
    not seen yet. Those of one website, those with something new ``since`` then, those with this in
    their title, if that is wanted.
    """
    streaming = Message.objects.filter(conversation=OuterRef("pk"), state=Message.State.STREAMING)
    live = Subquery(streaming.values("generation")[:1])
    unread = Count("messages", filter=_UNREAD)
    rows = Conversation.objects.filter(visitor=visitor.key)
    if site_key:
        rows = rows.filter(site__key=site_key)
    if since is not None:
        rows = rows.filter(updated__gte=since)
    if title:
        rows = rows.filter(title__icontains=title)
    # Counting groups the rows, and a grouped query forgets the order of the model.
    return rows.annotate(live=live, num_unread=unread).order_by("-updated", "-id")


def get_conversation(*, visitor: Visitor, conversation_id: uuid.UUID) -> Conversation:
    """One conversation of the visitor."""
    found = list_conversations(visitor=visitor).filter(id=conversation_id).first()
    if found is None:
        raise ChatError("not_found")
    return found


def owner_key(conversation_id: uuid.UUID) -> str:
    """Key of the visitor a conversation belongs to now; "" when it is gone."""
    keys = Conversation.objects.filter(id=conversation_id).values_list("visitor", flat=True)
    return keys.first() or ""


def current_messages(*, conversation: Conversation) -> list[Message]:
    """The messages to show, in order, each with its ``versions``."""
    shown = conversation.messages.filter(is_current=True).select_related("feedback")
    return with_versions(list(shown.order_by("number")))


def shown_messages(*, conversation: Conversation, has_hidden: bool = False) -> QuerySet[Message]:
    """The messages to show, in order; ``has_hidden``: those of other branches too."""
    rows = conversation.messages.select_related("feedback").order_by("number")
    return rows if has_hidden else rows.filter(is_current=True)


def get_message(*, visitor: Visitor, message_id: uuid.UUID) -> Message:
    """One message in a conversation of the visitor."""
    owned = Message.objects.select_related("feedback")
    found = owned.filter(id=message_id, conversation__visitor=visitor.key).first()
    if found is None:
        raise ChatError("not_found")
    return found


def rename_conversation(
    *, visitor: Visitor, conversation_id: uuid.UUID, title: str
) -> Conversation:
    """Give a conversation another title."""
    conversation = get_conversation(visitor=visitor, conversation_id=conversation_id)
    conversation.title = " ".join(title.replace("\x00", "").split())[:MAX_TITLE_CHARS]
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


def mark_read(*, visitor: Visitor, conversation_id: uuid.UUID, message_id: uuid.UUID) -> bool:
    """Note that the visitor has seen everything up to a message; False if that was known.

    It never goes back: two tabs may tell in any order.
    """
    owned = Conversation.objects.filter(visitor=visitor.key, id=conversation_id)
    numbers = Message.objects.filter(conversation__in=owned, id=message_id)
    number = numbers.values_list("number", flat=True).first()
    if number is None:
        raise ChatError("not_found")
    return owned.filter(num_read__lt=number).update(num_read=number) > 0
