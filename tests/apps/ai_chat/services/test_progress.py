"""Answers in the making."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.ai_chat import services
from apps.ai_chat.models import Message
from apps.ai_chat.services import Ending
from tests.apps.ai_chat.services.asking import (
    DONE,
    send,
)

pytestmark = pytest.mark.django_db


def test_answer_ends_once() -> None:
    sent = send("One?")
    assert services.save_answer(answer_id=sent.answer, text="Whole.", ending=DONE)
    late = Ending(state=Message.State.INTERRUPTED)
    assert not services.save_answer(answer_id=sent.answer, text="Half", ending=late)
    services.save_progress({sent.answer: "Hal"})
    assert Message.objects.get(id=sent.answer).text == "Whole."


def test_abandoned_is_who_gives_no_sign_of_life() -> None:
    sent = send("One?")
    assert not services.is_abandoned(answer_id=sent.answer)
    long_ago = timezone.now() - services.STALE_AFTER - timedelta(seconds=1)
    Message.objects.filter(id=sent.answer).update(beat=long_ago)
    assert services.is_abandoned(answer_id=sent.answer)
    services.save_progress({sent.answer: "x"})
    assert not services.is_abandoned(answer_id=sent.answer)
    services.save_answer(answer_id=sent.answer, text="x", ending=DONE)
    assert not services.is_abandoned(answer_id=sent.answer), "what has ended is not abandoned"
