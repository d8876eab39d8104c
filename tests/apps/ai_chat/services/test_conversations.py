"""Conversations: listed, read, renamed, deleted, and only by their owners."""

from __future__ import annotations

import uuid

import pytest

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from tests.apps.ai_chat.services.asking import (
    ANNA,
    BERT,
    exchange,
    finish,
    send,
)

pytestmark = pytest.mark.django_db


def test_list_shows_own_conversations_newest_first_and_what_runs() -> None:
    first, second = exchange("One?", "Yes."), send("Two?")
    send("Other?", visitor=BERT)
    listed = services.list_conversations(visitor=ANNA)
    assert [c.id for c in listed] == [second.conversation, first.conversation]
    assert [getattr(c, "live") for c in listed] == [second.generation, None]  # noqa: B009


def test_everything_of_others_is_not_found() -> None:
    sent = send("Secret?")
    calls = (
        lambda: services.get_conversation(visitor=BERT, conversation_id=sent.conversation),
        lambda: services.delete_conversation(visitor=BERT, conversation_id=sent.conversation),
        lambda: services.rename_conversation(
            visitor=BERT, conversation_id=sent.conversation, title="Mine"
        ),
        lambda: services.find_answer(visitor=BERT, generation=sent.generation),
        lambda: send("Me too?", sent.conversation, visitor=BERT),
    )
    for call in calls:
        with pytest.raises(ChatError, match="not_found"):
            call()
    assert Conversation.objects.get().title == "Secret?"


def test_delete_names_what_still_runs() -> None:
    sent = send("One?")
    running = services.delete_conversation(visitor=ANNA, conversation_id=sent.conversation)
    assert running == (sent.generation,)
    assert not Message.objects.exists()


def num_unread(conversation: uuid.UUID) -> int:
    row = services.get_conversation(visitor=ANNA, conversation_id=conversation)
    return int(getattr(row, "num_unread"))  # noqa: B009


def test_unread_are_finished_shown_answers_that_were_not_seen() -> None:
    sent = send("One?")
    assert num_unread(sent.conversation) == 0, "it is still written"
    finish(sent, "Yes.")
    assert num_unread(sent.conversation) == 1
    read = {"visitor": ANNA, "conversation_id": sent.conversation}
    assert services.mark_read(message_id=sent.answer, **read)
    assert num_unread(sent.conversation) == 0
    assert not services.mark_read(message_id=sent.answer, **read)
    assert not services.mark_read(message_id=sent.message, **read), "it never goes back"
    assert Conversation.objects.get().num_read == 2


def test_hidden_answers_are_not_unread() -> None:
    sent = exchange("One?", "Yes.")
    again = services.regenerate(visitor=ANNA, generation=uuid.uuid4(), message_id=sent.answer)
    finish(again, "Yes!")
    assert num_unread(sent.conversation) == 1


def test_read_is_for_own_messages_of_that_conversation() -> None:
    first, second = exchange("One?", "Yes."), exchange("Two?", "Yes.")
    for visitor, message in ((BERT, first.answer), (ANNA, second.answer), (ANNA, uuid.uuid4())):
        with pytest.raises(ChatError, match="not_found"):
            services.mark_read(
                visitor=visitor, conversation_id=first.conversation, message_id=message
            )
