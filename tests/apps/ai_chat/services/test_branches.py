"""Versions of messages and the path that is shown."""

from __future__ import annotations

from typing import Any

import pytest

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services import branches
from tests.apps.ai_chat.services.asking import (
    ANNA,
    BERT,
    edit,
    exchange,
    finish,
    prompt,
    send,
    shown,
)

pytestmark = pytest.mark.django_db


def test_select_shows_the_path_through_a_message_to_its_newest_end() -> None:
    first = exchange("One?", "Yes.")
    second = exchange("Two?", "No.", first.conversation)
    exchange("Three?", "Maybe.", first.conversation)
    finish(edit(second.message, "Zwei?"), "Nein.")
    assert services.select_branch(visitor=ANNA, message_id=second.message) == first.conversation
    assert shown(first.conversation) == ["One?", "Yes.", "Two?", "No.", "Three?", "Maybe."]
    edited = Message.objects.get(text="Nein.")
    services.select_branch(visitor=ANNA, message_id=edited.id)
    assert shown(first.conversation) == ["One?", "Yes.", "Zwei?", "Nein."]


def test_next_question_follows_the_selected_branch() -> None:
    first = exchange("One?", "Yes.")
    finish(edit(first.message, "Uno?"), "Si.")
    services.select_branch(visitor=ANNA, message_id=first.message)
    last = send("And?", first.conversation)
    assert prompt(last) == ["One?", "Yes.", "And?"]


def test_select_what_is_shown_changes_nothing() -> None:
    first = exchange("One?", "Yes.")
    exchange("Two?", "No.", first.conversation)
    services.select_branch(visitor=ANNA, message_id=first.message)
    assert shown(first.conversation) == ["One?", "Yes.", "Two?", "No."]


def test_branches_of_others_are_not_found() -> None:
    first = exchange("One?", "Yes.")
    with pytest.raises(ChatError, match="not_found"):
        services.select_branch(visitor=BERT, message_id=first.message)


def test_versions_are_counted_with_one_look(django_assert_num_queries: Any) -> None:
    first = exchange("One?", "Yes.")
    finish(edit(first.message, "Uno?"), "Si.")
    row = Conversation.objects.get()
    with django_assert_num_queries(2):
        messages = services.current_messages(conversation=row)
        numbers = [len(getattr(message, "versions")) for message in messages]  # noqa: B009
    assert numbers == [2, 1]


def test_a_cycle_in_the_table_hangs_nobody() -> None:
    first = exchange("One?", "Yes.")
    Message.objects.filter(id=first.message).update(parent=first.answer)
    assert len(branches.path_to(first.conversation, first.answer)) <= 3
