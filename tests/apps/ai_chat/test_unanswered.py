"""Which questions count as unanswered, how they are put together, and when they leave the list."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.ai_chat import unanswered
from apps.ai_chat.approved_answers import add_wording, find_answer
from apps.ai_chat.models import ApprovedAnswer, Conversation, Feedback, Message
from apps.ai_chat.unanswered import Reason, UnansweredQuestion, add_to_answer, list_unanswered
from apps.widget.models import Site

pytestmark = pytest.mark.django_db


def talk(
    asked: str,
    *,
    conversation: Conversation | None = None,
    state: Message.State = Message.State.COMPLETE,
    site: Site | None = None,
    language: str = "en",
    is_disliked: bool = False,
    days_ago: int = 0,
    question_extra: dict | None = None,
    **answer,
) -> Message:
    """A question with its answer, as the chat stores them; returns the answer."""
    if conversation is None:
        conversation = Conversation.objects.create(
            visitor=f"v:{uuid.uuid4().hex}", site=site, language=language, updated=timezone.now()
        )
    place = conversation.messages.count() + 1
    question = Message.objects.create(
        conversation=conversation,
        number=place,
        role=Message.Role.USER,
        text=asked,
        visitor=conversation.visitor,
        cid=uuid.uuid4(),
        **(question_extra or {}),
    )
    stored = Message.objects.create(
        conversation=conversation,
        number=place + 1,
        role=Message.Role.ASSISTANT,
        state=state,
        question=question,
        generation=uuid.uuid4(),
        **({"text": "Well."} | answer),
    )
    if is_disliked:
        Feedback.objects.create(message=stored, value=Feedback.Value.DOWN)
    if days_ago:
        Message.objects.filter(pk=stored.pk).update(
            created=timezone.now() - timedelta(days=days_ago)
        )
    return stored


def listed(**options) -> dict[str, UnansweredQuestion]:
    return {item.text: item for item in list_unanswered(**options).questions}


def approve(question: str, **options) -> ApprovedAnswer:
    answer = ApprovedAnswer.objects.create(**({"text": "Yes."} | options))
    add_wording(answer=answer, text=question)
    return answer


def test_what_counts() -> None:
    failed = Message.State.FAILED
    talk("Fine?")
    talk("Liked?")
    talk("Stopped?", state=Message.State.STOPPED, reason="user_stop")
    talk("Failed?", state=failed, error_code="internal")
    talk("Refused?", state=failed, error_code="queue_full")
    talk("Waited?", state=failed, error_code="queue_timeout")
    talk("Late?", reason="deadline")
    talk("Bad?", is_disliked=True)
    talk("Offered?", suggestions=["Was it this?"])
    talk("Offered too?", question_extra={"suggestions": ["Was it this?"]})
    assert {text: set(item.reasons) for text, item in listed().items()} == {
        "Failed?": {Reason.FAILED},
        "Refused?": {Reason.REFUSED},
        "Waited?": {Reason.EXPIRED},
        "Late?": {Reason.EXPIRED},
        "Bad?": {Reason.DISLIKED},
        "Offered?": {Reason.NOT_TAKEN},
        "Offered too?": {Reason.NOT_TAKEN},
    }


def test_a_suggestion_that_was_taken_is_an_answer() -> None:
    answer = talk("Ours?", suggestions=["Opening hours?"])
    talk("opening HOURS", conversation=answer.conversation)
    other = talk("Theirs?", suggestions=["Opening hours?"])
    talk("Something else?", conversation=other.conversation)
    before = talk("Opening hours?")
    talk("Still not taken?", conversation=before.conversation, suggestions=["Opening hours?"])
    assert set(listed()) == {"Theirs?", "Still not taken?"}


def test_asked_again_with_success_is_answered() -> None:
    failed = talk("Again?", state=Message.State.FAILED, error_code="internal")
    assert set(listed()) == {"Again?"}
    Message.objects.create(
        conversation=failed.conversation,
        number=3,
        role=Message.Role.ASSISTANT,
        question=failed.question,
        generation=uuid.uuid4(),
        text="Here.",
    )
    assert listed() == {}


def test_the_same_question_is_one_row_with_its_newest_wording() -> None:
    talk("Where is it?", is_disliked=True, days_ago=2)
    talk("where is IT", state=Message.State.FAILED, error_code="queue_full", days_ago=1)
    newest = talk("Where is it??", is_disliked=True, suggestions=["Here?"])
    talk("Rare?", is_disliked=True)
    found = list_unanswered().questions
    assert [(item.text, item.num) for item in found] == [("Where is it??", 3), ("Rare?", 1)]
    assert found[0].reasons == {Reason.DISLIKED: 2, Reason.REFUSED: 1, Reason.NOT_TAKEN: 1}
    assert found[0].message_id == newest.question_id


def test_sites_and_languages_are_kept_apart() -> None:
    site = Site.objects.create(name="Shop")
    talk("Hallo?", is_disliked=True)
    talk("Hallo?", is_disliked=True, language="de")
    talk("Hallo?", is_disliked=True, site=site)
    places = [(item.site_name, item.language) for item in list_unanswered().questions]
    assert sorted(places) == [("", "de"), ("", "en"), ("Shop", "en")]
    assert [item.site_id for item in list_unanswered(site_id=site.pk).questions] == [site.pk]
    assert {item.site_id for item in list_unanswered(site_id=None).questions} == {None}


def test_what_is_approved_leaves_the_list() -> None:
    talk("Where is it?", is_disliked=True)
    site = Site.objects.create(name="Shop")
    talk("Where is it?", is_disliked=True, site=site)
    answer = approve("where is it")
    assert [item.site_id for item in list_unanswered().questions] == [site.pk]
    answer.is_on = False
    answer.save()
    assert len(list_unanswered().questions) == 2


def test_commands_old_ones_and_approved_answers_are_left_out() -> None:
    talk("/pool", is_command=True, state=Message.State.FAILED)
    talk("Old?", is_disliked=True, days_ago=31)
    talk("Known?", is_disliked=True, approved_answer=approve("Something"))
    talk("???", is_disliked=True)
    assert listed() == {}
    assert set(listed(num_days=90)) == {"Old?"}


def test_the_list_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unanswered, "MAX_ANSWERS", 2)
    for number in range(3):
        talk(f"Question {number}", is_disliked=True)
    found = list_unanswered()
    assert found.is_cut and {item.text for item in found.questions} == {"Question 1", "Question 2"}


def test_it_takes_as_many_queries_for_many(django_assert_max_num_queries) -> None:
    for number in range(30):
        talk(f"Question {number}", is_disliked=True, suggestions=["This?"])
    with django_assert_max_num_queries(3):
        list_unanswered()


def test_a_logged_question_becomes_a_wording() -> None:
    asked = talk("When  do you\nopen?", is_disliked=True).question
    answer = approve("What are your opening hours?", text="At nine.")
    wording = add_to_answer(message_id=asked.id, answer_id=answer.pk)
    assert (wording.text, wording.language) == ("When do you open?", "en")
    assert find_answer(site_id=None, language="en", text="when do you open") == answer
    assert listed() == {}


def test_what_cannot_become_one() -> None:
    asked = talk("When?", is_disliked=True).question
    site = Site.objects.create(name="Shop")
    here, there = approve("Hello"), approve("Hello", site=site)
    german = approve("Hallo", language="de")
    for answer in (there, german):
        with pytest.raises(ValidationError, match="another site or language"):
            add_to_answer(message_id=asked.id, answer_id=answer.pk)
    with pytest.raises(ApprovedAnswer.DoesNotExist):
        add_to_answer(message_id=asked.id, answer_id=10**9)
    given = talk("x").pk
    with pytest.raises(Message.DoesNotExist):
        add_to_answer(message_id=given, answer_id=here.pk)
    long = talk("long " * 100, is_disliked=True).question
    with pytest.raises(ValidationError, match="400"):
        add_to_answer(message_id=long.id, answer_id=here.pk)
