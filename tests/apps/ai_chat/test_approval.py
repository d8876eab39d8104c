"""What staff approved is found for an answer, and noted in its row."""

from __future__ import annotations

import uuid

import pytest

from apps.ai_chat import services
from apps.ai_chat.approval import NOTHING, Approval, find_approval
from apps.ai_chat.models import Message
from apps.ai_chat.services import Ending
from apps.ai_chat.visitor import visitor_of_id
from tests.apps.ai_chat.test_approved_answers import HOURS, approve

pytestmark = pytest.mark.django_db
ANNA = visitor_of_id("a" * 32)


def ask(text: str) -> services.Sent:
    return services.send_message(visitor=ANNA, cid=uuid.uuid4(), generation=uuid.uuid4(), text=text)


def test_the_same_question() -> None:
    answer = approve(HOURS)
    sent = ask("what are your opening hours")
    assert find_approval(answer_id=sent.answer) == Approval(text="Nine to five.")
    assert Message.objects.get(id=sent.answer).approved_answer == answer


def test_a_similar_question_is_only_offered() -> None:
    approve(HOURS)
    sent = ask("What are your opening hours on Sunday?")
    assert find_approval(answer_id=sent.answer) == Approval(near=(HOURS,))
    row = Message.objects.get(id=sent.answer)
    assert (row.suggestions, row.approved_answer) == ([HOURS], None)


def test_another_question_and_a_command() -> None:
    approve(HOURS, "/pool")
    assert find_approval(answer_id=ask("Who was Ada Lovelace?").answer) == NOTHING
    assert find_approval(answer_id=ask("/pool").answer) == NOTHING


def test_another_answer_is_the_models() -> None:
    approve(HOURS)
    sent = ask(HOURS)
    services.save_answer(
        answer_id=sent.answer, text="Nine to five.", ending=Ending(state=Message.State.COMPLETE)
    )
    again = services.regenerate(visitor=ANNA, generation=uuid.uuid4(), message_id=sent.message)
    assert find_approval(answer_id=again.answer) == NOTHING
