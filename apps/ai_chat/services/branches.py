"""Messages form a tree: siblings are versions of one another, and one path is shown."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.visitor import Visitor


def path_to(conversation_id: uuid.UUID, message_id: uuid.UUID) -> list[uuid.UUID]:
    """The messages from the first one down to this one."""
    rows = Message.objects.filter(conversation=conversation_id)
    parents = dict(rows.values_list("id", "parent_id"))
    path: list[uuid.UUID] = []
    step: uuid.UUID | None = message_id
    # A tree has no cycle; a table that was tampered with must not hang us.
    while step is not None and len(path) <= len(parents):
        path.append(step)
        step = parents.get(step)
    return path[::-1]


def show_path(conversation_id: uuid.UUID, path: Iterable[uuid.UUID]) -> bool:
    """Show exactly these messages; True if others were shown before."""
    wanted = set(path)
    rows = Message.objects.filter(conversation=conversation_id)
    shown = set(rows.filter(is_current=True).values_list("id", flat=True))
    # In parts: a statement has a limited number of variables.
    for changed, is_current in ((shown - wanted, False), (wanted - shown, True)):
        ids = list(changed)
        for start in range(0, len(ids), 500):
            part = Message.objects.filter(id__in=ids[start : start + 500])
            part.update(is_current=is_current)
    return bool(shown - wanted)


def last_shown(conversation: Conversation) -> Message | None:
    """The end of the shown path."""
    return conversation.messages.filter(is_current=True).order_by("-number").first()


def select_branch(*, visitor: Visitor, message_id: uuid.UUID) -> uuid.UUID:
    """Show the path through a message and on to the newest one behind it.

    Returns the conversation's id.
    """
    with transaction.atomic():
        message = owned_message(visitor, message_id)
        rows = Message.objects.filter(conversation=message.conversation_id)
        children: defaultdict[uuid.UUID | None, list[uuid.UUID]] = defaultdict(list)
        for key, parent in rows.order_by("number").values_list("id", "parent_id"):
            children[parent].append(key)
        path = path_to(message.conversation_id, message.id)
        while children[path[-1]]:
            path.append(children[path[-1]][-1])
        show_path(message.conversation_id, path)
    return message.conversation_id


def version_ids(message: Message) -> list[uuid.UUID]:
    """The versions of a message, the oldest one first; mostly it is the only one."""
    siblings = Message.objects.filter(
        conversation=message.conversation_id, parent=message.parent_id, role=message.role
    )
    return list(siblings.order_by("number").values_list("id", flat=True))


def with_versions(messages: list[Message]) -> list[Message]:
    """Note on each message its ``versions``, with one look at the database for all."""
    if not messages:
        return messages
    versions: defaultdict[tuple[uuid.UUID | None, str], list[uuid.UUID]] = defaultdict(list)
    rows = Message.objects.filter(conversation=messages[0].conversation_id).order_by("number")
    for key, parent, role in rows.values_list("id", "parent_id", "role"):
        versions[parent, role].append(key)
    for message in messages:
        message.versions = versions[message.parent_id, message.role]  # type: ignore[attr-defined]
    return messages


def owned_message(visitor: Visitor, message_id: uuid.UUID) -> Message:
    """A message in one of the visitor's conversations."""
    owned = Message.objects.select_related("question", "conversation")
    found = owned.filter(id=message_id, conversation__visitor=visitor.key).first()
    if found is None:
        raise ChatError("not_found")
    return found
