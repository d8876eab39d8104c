"""Another answer, and more of one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import ApprovedAnswer, Conversation, Message
from apps.ai_chat.services import Ending, Sent
from tests.apps.ai_chat.services.asking import (
    ANNA,
    BERT,
    DONE,
    edit,
    exchange,
    finish,
    prompt,
    send,
    shown,
)

pytestmark = pytest.mark.django_db


def test_regenerate_hides_the_earlier_answer() -> None:
    first = exchange("One?", "Bad.")
    again = services.regenerate(visitor=ANNA, generation=uuid.uuid4(), message_id=first.message)
    services.save_answer(answer_id=again.answer, text="Good.", ending=DONE)
    conversation = Conversation.objects.get()
    shown = [m.text for m in services.current_messages(conversation=conversation)]
    assert shown == ["One?", "Good."]


def test_regenerate_twice_with_one_id_is_once() -> None:
    first = exchange("One?", "Bad.")
    generation = uuid.uuid4()
    once = services.regenerate(visitor=ANNA, generation=generation, message_id=first.message)
    twice = services.regenerate(visitor=ANNA, generation=generation, message_id=first.message)
    assert (once.answer, twice.is_dup) == (twice.answer, True)


def test_regenerate_an_earlier_question_begins_a_branch() -> None:
    first = exchange("One?", "Yes.")
    exchange("Two?", "No.", first.conversation)
    again = services.regenerate(visitor=ANNA, generation=uuid.uuid4(), message_id=first.message)
    finish(again, "Yes!")
    assert again.has_moved
    assert shown(first.conversation) == ["One?", "Yes!"]
    answer = Message.objects.get(id=again.answer)
    assert services.version_ids(answer) == [first.answer, again.answer]


def test_regenerate_only_what_is_shown_and_own() -> None:
    first = exchange("One?", "Yes.")
    command = exchange("/pool", "Pool Status:", first.conversation)
    for visitor, message in ((BERT, first.answer), (ANNA, uuid.uuid4()), (ANNA, command.answer)):
        with pytest.raises(ChatError, match="not_found"):
            services.regenerate(visitor=visitor, generation=uuid.uuid4(), message_id=message)
    finish(edit(first.message, "Uno?"), "Si.")
    with pytest.raises(ChatError, match="not_found"):
        services.regenerate(visitor=ANNA, generation=uuid.uuid4(), message_id=first.message)


EARLY = Ending(state=Message.State.COMPLETE, reason="length")


def go_on(message: uuid.UUID, **fields: Any) -> Sent:
    values = {"visitor": ANNA, "generation": uuid.uuid4(), **fields}
    return services.continue_answer(message_id=message, **values)


@pytest.mark.parametrize(
    ("ending", "text", "is_possible"),
    [
        (EARLY, "Half", True),
        (Ending(state=Message.State.STOPPED, reason="user_stop"), "Half", True),
        (Ending(state=Message.State.INTERRUPTED, reason="deadline"), "Half", True),
        (Ending(state=Message.State.INTERRUPTED, error_code="pool_lost"), "Half", True),
        (Ending(state=Message.State.INTERRUPTED, reason="shutdown"), "Half", True),
        (DONE, "Whole.", False),
        (EARLY, "", False),
        (Ending(state=Message.State.FAILED, error_code="internal"), "", False),
    ],
)
def test_what_can_be_continued(ending: Ending, text: str, is_possible: bool) -> None:
    sent = finish(send("One?"), text, ending)
    assert services.can_continue(Message.objects.get(id=sent.answer)) is is_possible
    if is_possible:
        assert go_on(sent.answer).is_continued
    else:
        with pytest.raises(ChatError, match="not_editable"):
            go_on(sent.answer)


def test_continue_opens_the_row_again_and_keeps_its_text() -> None:
    sent = finish(send("One?"), "Half", EARLY)
    generation = uuid.uuid4()
    more = go_on(sent.answer, generation=generation)
    assert (more.answer, more.text, more.generation) == (sent.answer, "Half", generation)
    row = Message.objects.get(id=sent.answer)
    assert (row.state, row.text, row.generation, row.reason) == (
        "streaming",
        "Half",
        generation,
        "",
    )
    assert row.beat is not None, "a process looks after it"
    assert prompt(more) == ["One?"], "its own text is no part of the history"
    finish(more, "Half and whole.")
    assert shown(sent.conversation) == ["One?", "Half and whole."]


def test_continue_twice_with_one_id_is_once() -> None:
    sent = finish(send("One?"), "Half", EARLY)
    generation = uuid.uuid4()
    go_on(sent.answer, generation=generation)
    assert go_on(sent.answer, generation=generation).is_dup


def test_continue_takes_no_used_id_and_nothing_of_others() -> None:
    sent = finish(send("One?"), "Half", EARLY)
    other = exchange("Two?", "Yes.")
    with pytest.raises(ChatError, match="id_taken"):
        go_on(sent.answer, generation=other.generation)
    with pytest.raises(ChatError, match="not_found"):
        go_on(sent.answer, visitor=BERT)
    with pytest.raises(ChatError, match="not_editable"):
        go_on(sent.message)
    assert Message.objects.get(id=sent.answer).state == "complete"


def test_continue_counts_against_the_limit(settings: Any) -> None:
    settings.CORRAL_MAX_INFLIGHT = 1
    sent = finish(send("One?"), "Half", EARLY)
    send("Two?")
    with pytest.raises(ChatError, match="inflight_limit"):
        go_on(sent.answer)


def test_approved_answers_are_whole() -> None:
    sent = finish(send("One?"), "Half", EARLY)
    approved = ApprovedAnswer.objects.create(text="Half")
    Message.objects.filter(id=sent.answer).update(approved_answer=approved)
    assert not services.can_continue(Message.objects.get(id=sent.answer))
