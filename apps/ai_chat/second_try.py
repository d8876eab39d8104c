"""Answers that failed are made again because the operator asks for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.generations import open_registries
from apps.ai_chat.models import Message
from apps.ai_chat.services.branches import last_shown
from apps.ai_chat.visitor import Visitor

FAILED = (Message.State.FAILED, Message.State.INTERRUPTED)


class NobodyAnswers(Exception):
    """This process serves no chats; ``str`` is a sentence for the operator."""


def answer_again(message_ids: Iterable[uuid.UUID]) -> int:
    """Begin another answer in place of each of these; returns how many were begun.

    Left alone are those that did not fail or went on since, and those of somebody who waits for
    another answer. The failed one stays as an earlier version. Uses the database; from any thread
    but that of an event loop. Raises NobodyAnswers outside of a web process.
    """
    if not open_registries():
        raise NobodyAnswers("Only a running web server can answer questions again.")
    return sum(_answer_again(message_id) for message_id in message_ids)


def _answer_again(message_id: uuid.UUID) -> bool:
    failed = Message.objects.select_related("conversation").filter(pk=message_id).first()
    if failed is None or failed.state not in FAILED:
        return False
    if last_shown(failed.conversation) != failed:
        return False
    visitor = Visitor(key=failed.conversation.visitor)
    registries = open_registries()
    try:
        sent = services.regenerate(visitor=visitor, generation=uuid.uuid4(), message_id=failed.pk)
    except ChatError:
        return False
    for registry in registries:
        # The loop may have ended since; then the answer ends as interrupted, like any other.
        with suppress(RuntimeError):
            start = partial(registry.start, visitor=visitor, sent=sent)
            registry.loop.call_soon_threadsafe(start)
            return True
    return False
