"""The one door to conversations: what it stores, what it refuses, whose it is."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ai_model.prompt import ChatMessage, Role
from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services import Ending, Sent
from apps.ai_chat.visitor import visitor_of_id

pytestmark = pytest.mark.django_db

ANNA, BERT = visitor_of_id("a" * 32), visitor_of_id("b" * 32)
DONE = Ending(state=Message.State.COMPLETE, reason="stop")


def send(text: str, conversation: uuid.UUID | None = None, **fields: Any) -> Sent:
    values = {"visitor": ANNA, "cid": uuid.uuid4(), "generation": uuid.uuid4(), **fields}
    return services.send_message(text=text, conversation_id=conversation, **values)


def exchange(text: str, answer: str, conversation: uuid.UUID | None = None) -> Sent:
    sent = send(text, conversation)
    assert services.save_answer(answer_id=sent.answer, text=answer, ending=DONE)
    return sent


def test_question_and_empty_answer_are_stored_together() -> None:
    sent = send("Hello?")
    question, answer = Message.objects.get(id=sent.message), Message.objects.get(id=sent.answer)
    assert (question.number, question.role, question.state) == (1, "user", "complete")
    assert (answer.number, answer.state, answer.text) == (2, "streaming", "")
    assert answer.question_id == question.id and answer.beat is not None
    assert sent.is_new_conversation and not sent.is_dup


@pytest.mark.django_db(transaction=True)
def test_nothing_is_stored_when_the_answer_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(services, "_new_answer", fail)
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
@pytest.mark.parametrize("num_blind", [1, 2])
def test_same_question_twice_at_once(monkeypatch: pytest.MonkeyPatch, num_blind: int) -> None:
    """The look for an earlier one finds nothing yet; the database has the last word."""
    cid = uuid.uuid4()
    first = send("One?", cid=cid)
    see, looks = services._sent_before, iter(range(num_blind))

    def look(*arguments: Any) -> Sent | None:
        return see(*arguments) if next(looks, None) is None else None

    monkeypatch.setattr(services, "_sent_before", look)
    assert send("One?", cid=cid).answer == first.answer
    assert Message.objects.count() == 2


def test_same_cid_of_two_visitors_is_two_questions() -> None:
    cid = uuid.uuid4()
    assert send("One?", cid=cid).conversation != send("One?", cid=cid, visitor=BERT).conversation


def test_stale_answers_of_others_do_not_count_against_the_limit() -> None:
    send("One?", visitor=BERT)
    send("Two?", visitor=BERT)
    send("Mine?")


def test_history_is_in_order_with_the_system_prompt(settings: Any) -> None:
    settings.CORRAL_SYSTEM_PROMPT = "Be kind."
    first = exchange("One?", "Yes.")
    exchange("Two?", "No.", first.conversation)
    last = send("Three?", first.conversation)
    assert services.prompt_messages(answer_id=last.answer) == (
        ChatMessage(Role.SYSTEM, "Be kind."),
        ChatMessage(Role.USER, "One?"),
        ChatMessage(Role.ASSISTANT, "Yes."),
        ChatMessage(Role.USER, "Two?"),
        ChatMessage(Role.ASSISTANT, "No."),
        ChatMessage(Role.USER, "Three?"),
    )


def test_history_leaves_out_failures_commands_and_replaced_answers() -> None:
    first = exchange("One?", "Bad answer.")
    again = services.regenerate(visitor=ANNA, generation=uuid.uuid4(), message_id=first.answer)
    services.save_answer(answer_id=again.answer, text="Good answer.", ending=DONE)
    failed = send("Lost?", first.conversation)
    services.save_answer(
        answer_id=failed.answer, text="", ending=Ending(state=Message.State.FAILED)
    )
    exchange("/pool", "Pool Status:", first.conversation)
    last = send("Last?", first.conversation)
    texts = [message.text for message in services.prompt_messages(answer_id=last.answer)[1:]]
    assert texts == ["One?", "Good answer.", "Last?"]


def test_history_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_HISTORY_CHARS", 30)
    first = exchange("x" * 20, "y" * 20)
    exchange("Near?", "Yes.", first.conversation)
    last = send("Now?", first.conversation)
    texts = [message.text for message in services.prompt_messages(answer_id=last.answer)[1:]]
    assert texts == ["Near?", "Yes.", "Now?"]


def test_regenerate_hides_the_earlier_answer() -> None:
    first = exchange("One?", "Bad.")
    again = services.regenerate(visitor=ANNA, generation=uuid.uuid4(), message_id=first.message)
    services.save_answer(answer_id=again.answer, text="Good.", ending=DONE)
    conversation = Conversation.objects.get()
    shown = [m.text for m in services.current_messages(conversation=conversation)]
    assert shown == ["One?", "Good."]


def test_regenerate_is_for_the_last_question_only() -> None:
    first = exchange("One?", "Yes.")
    exchange("Two?", "Yes.", first.conversation)
    for visitor, message in ((ANNA, first.answer), (BERT, first.answer), (ANNA, uuid.uuid4())):
        with pytest.raises(ChatError, match="not_found"):
            services.regenerate(visitor=visitor, generation=uuid.uuid4(), message_id=message)


def test_regenerate_twice_with_one_id_is_once() -> None:
    first = exchange("One?", "Bad.")
    generation = uuid.uuid4()
    once = services.regenerate(visitor=ANNA, generation=generation, message_id=first.message)
    twice = services.regenerate(visitor=ANNA, generation=generation, message_id=first.message)
    assert (once.answer, twice.is_dup) == (twice.answer, True)


def test_answer_ends_once() -> None:
    sent = send("One?")
    assert services.save_answer(answer_id=sent.answer, text="Whole.", ending=DONE)
    late = Ending(state=Message.State.INTERRUPTED)
    assert not services.save_answer(answer_id=sent.answer, text="Half", ending=late)
    services.save_progress(answer_id=sent.answer, text="Hal")
    assert Message.objects.get(id=sent.answer).text == "Whole."


def test_abandoned_is_who_gives_no_sign_of_life() -> None:
    sent = send("One?")
    assert not services.is_abandoned(answer_id=sent.answer)
    long_ago = timezone.now() - services.STALE_AFTER - timedelta(seconds=1)
    Message.objects.filter(id=sent.answer).update(beat=long_ago)
    assert services.is_abandoned(answer_id=sent.answer)
    services.save_progress(answer_id=sent.answer, text="x")
    assert not services.is_abandoned(answer_id=sent.answer)
    services.save_answer(answer_id=sent.answer, text="x", ending=DONE)
    assert not services.is_abandoned(answer_id=sent.answer), "what has ended is not abandoned"


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
