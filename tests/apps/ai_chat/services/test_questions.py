"""Asking: what is stored, what is refused, what is stored once."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services import Sent, questions
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


def test_question_and_empty_answer_are_stored_together() -> None:
    sent = send("Hello?")
    question, answer = Message.objects.get(id=sent.message), Message.objects.get(id=sent.answer)
    assert (question.number, question.role, question.state) == (1, "user", "complete")
    assert (answer.number, answer.state, answer.text) == (2, "streaming", "")
    assert answer.question_id == question.id and answer.beat is not None
    assert sent.is_new_conversation and not sent.is_dup


@pytest.mark.django_db(transaction=True)
def test_nothing_is_stored_when_the_answer_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(questions, "new_answer", fail)
    with pytest.raises(RuntimeError):
        send("Hello?")
    assert not Message.objects.exists() and not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), (" \n", "empty"), ("x" * 4001, "too_long")]
)
def test_refused_texts(text: str, code: str) -> None:
    with pytest.raises(ChatError) as refused:
        send(text)
    assert refused.value.code == code
    assert not Conversation.objects.exists()


def test_length_counts_characters_not_bytes() -> None:
    assert send("\U0001f600" * 4000)


def test_generation_id_cannot_be_used_twice() -> None:
    first = send("One?")
    with pytest.raises(ChatError, match="id_taken"):
        send("Two?", visitor=BERT, generation=first.generation)
    assert Message.objects.count() == 2


def test_same_cid_again_is_the_same_question_even_at_the_limit(settings: Any) -> None:
    settings.CORRAL_MAX_INFLIGHT = 1
    cid = uuid.uuid4()
    first = send("One?", cid=cid)
    again = send("One?", first.conversation, cid=cid)
    assert again.is_dup and again.answer == first.answer
    with pytest.raises(ChatError, match="inflight_limit"):
        send("Two?")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("num_blind", [0, 1])
def test_same_question_twice_at_once(monkeypatch: pytest.MonkeyPatch, num_blind: int) -> None:
    """The look for an earlier one finds nothing yet; the database has the last word."""
    cid = uuid.uuid4()
    first = send("One?", cid=cid)
    see, looks = questions._sent_before, iter(range(num_blind))

    def look(*arguments: Any) -> Sent | None:
        return see(*arguments) if next(looks, None) is None else None

    monkeypatch.setattr(questions, "_sent_before", look)
    assert send("One?", cid=cid).answer == first.answer
    assert Message.objects.count() == 2


def test_same_cid_of_two_visitors_is_two_questions() -> None:
    cid = uuid.uuid4()
    assert send("One?", cid=cid).conversation != send("One?", cid=cid, visitor=BERT).conversation


def test_stale_answers_of_others_do_not_count_against_the_limit() -> None:
    send("One?", visitor=BERT)
    send("Two?", visitor=BERT)
    send("Mine?")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello\n  there?", "Hello there?"),
        ("word " * 30, "word word word word word word word word word word word\u2026"),
        ("x" * 100, "x" * 59 + "\u2026"),
    ],
)
def test_title(text: str, title: str) -> None:
    assert services.title_of(text) == title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/pool", True),
        ("/pool please", True),
        ("/pools", False),
        ("the /pool", False),
        ("/", False),
    ],
)
def test_command(text: str, expected: bool) -> None:
    assert services.is_command(text) is expected


def test_the_state_of_the_pool_can_be_asked_for_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MAX_COMMANDS", 2)
    for _ in range(2):
        exchange("/pool", "Pool Status:")
    with pytest.raises(ChatError, match="rate_limited") as refused:
        send("/pool")
    assert 55 <= (refused.value.retry_after_s or 0) <= 60
    exchange("A question?", "Yes.")
    exchange("/pool", "Pool Status:", visitor=BERT)
    Message.objects.update(created=timezone.now() - timedelta(seconds=61))
    exchange("/pool", "Pool Status:")


def test_question_follows_what_is_shown_last() -> None:
    first = exchange("One?", "Yes.")
    second = send("Two?", first.conversation)
    assert Message.objects.get(id=second.message).parent_id == first.answer
    assert Message.objects.get(id=second.answer).parent_id == second.message
    assert not second.has_moved


def test_question_behind_an_earlier_answer_begins_a_branch() -> None:
    first = exchange("One?", "Yes.")
    exchange("Two?", "No.", first.conversation)
    other = exchange("Other two?", "Maybe.", first.conversation, parent_id=first.answer)
    assert other.has_moved
    assert shown(first.conversation) == ["One?", "Yes.", "Other two?", "Maybe."]


def test_parent_must_be_an_answer_of_this_conversation() -> None:
    first, elsewhere = exchange("One?", "Yes."), exchange("Elsewhere?", "Yes.")
    theirs = exchange("Theirs?", "Yes.", visitor=BERT)
    for parent in (first.message, elsewhere.answer, theirs.answer, uuid.uuid4()):
        with pytest.raises(ChatError, match="not_found"):
            send("Two?", first.conversation, parent_id=parent)
    assert Message.objects.count() == 6


def test_edit_is_a_new_version_and_hides_what_followed() -> None:
    first = exchange("One?", "Yes.")
    second = exchange("Two?", "No.", first.conversation)
    exchange("Three?", "Maybe.", first.conversation)
    other = finish(edit(second.message, "Two, please?"), "Here.")
    assert other.has_moved and other.message != second.message
    assert shown(first.conversation) == ["One?", "Yes.", "Two, please?", "Here."]
    assert prompt(other) == ["One?", "Yes.", "Two, please?"]
    new = Message.objects.get(id=other.message)
    assert services.version_ids(new) == [second.message, other.message]
    assert Message.objects.get(id=second.message).text == "Two?", "the old version stays"


def test_first_question_can_be_edited() -> None:
    first = exchange("One?", "Yes.")
    exchange("Two?", "No.", first.conversation)
    finish(edit(first.message, "Uno?"), "Si.")
    assert shown(first.conversation) == ["Uno?", "Si."]


def test_edit_keeps_what_the_page_told() -> None:
    first = exchange("One?", "Yes.", context={"Product": "Saddle"})
    again = Message.objects.get(id=edit(first.message, "Uno?").message)
    assert dict(again.context) == {"Product": "Saddle"}


def test_what_cannot_be_edited() -> None:
    first = exchange("One?", "Yes.")
    command = exchange("/pool", "Pool Status:", first.conversation)
    for message, text in (
        (first.answer, "Mine"),
        (command.message, "Hello?"),
        (first.message, "/pool"),
    ):
        with pytest.raises(ChatError, match="not_editable"):
            edit(message, text)
    for visitor, message in ((BERT, first.message), (ANNA, uuid.uuid4())):
        with pytest.raises(ChatError, match="not_found"):
            edit(message, "Mine", visitor=visitor)
    with pytest.raises(ChatError, match="empty"):
        edit(first.message, " ")
    assert Message.objects.count() == 4


def test_edit_waits_for_the_running_answer() -> None:
    first = send("One?")
    with pytest.raises(ChatError, match="inflight_limit"):
        edit(first.message, "Uno?")


def test_same_edit_again_is_the_same_version() -> None:
    first = exchange("One?", "Yes.")
    cid = uuid.uuid4()
    once = edit(first.message, "Uno?", cid=cid)
    again = edit(first.message, "Uno?", cid=cid)
    assert (again.message, again.is_dup) == (once.message, True)


def test_who_asks_has_read_what_was_there() -> None:
    first = exchange("One?", "Yes.")
    send("Two?", first.conversation)
    row = services.get_conversation(visitor=ANNA, conversation_id=first.conversation)
    assert (row.num_read, getattr(row, "num_unread")) == (3, 0)  # noqa: B009
