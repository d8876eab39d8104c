"""Thumbs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Feedback, Message
from tests.apps.ai_chat.services.asking import (
    ANNA,
    BERT,
    exchange,
    finish,
    send,
)

pytestmark = pytest.mark.django_db


def rate(message: uuid.UUID, value: int, **fields: Any) -> Message:
    return services.rate_answer(
        **{"visitor": ANNA, "message_id": message, "value": value, **fields}
    )


def test_thumb_is_stored_changed_and_taken_back() -> None:
    sent = exchange("One?", "Yes.")
    rate(sent.answer, -1, reason=" wrong ", comment="No\x00pe")
    row = Feedback.objects.get()
    assert (row.value, row.reason, row.comment) == (-1, "wrong", "Nope")
    assert rate(sent.answer, 1).feedback.value == 1
    row = Feedback.objects.get()
    assert (row.value, row.comment) == (1, ""), "a new opinion replaces all of the old one"
    assert getattr(rate(sent.answer, 0), "feedback", None) is None
    assert not Feedback.objects.exists()
    rate(sent.answer, 0)


def test_only_own_finished_answers_are_rated() -> None:
    sent = send("One?")
    for message in (sent.message, sent.answer):
        with pytest.raises(ChatError, match="not_editable"):
            rate(message, 1)
    finish(sent, "Yes.")
    with pytest.raises(ChatError, match="not_found"):
        rate(sent.answer, 1, visitor=BERT)
    assert not Feedback.objects.exists()


def test_long_words_are_cut() -> None:
    sent = exchange("One?", "Yes.")
    rate(sent.answer, -1, reason="r" * 99, comment="c" * 9999)
    row = Feedback.objects.get()
    assert (len(row.reason), len(row.comment)) == (40, 1000)
