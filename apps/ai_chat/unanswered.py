"""Questions that visitors got no good answer to, put together for staff.

Everything here shows what visitors wrote: callers must have checked ``ai_chat.view_content``.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.ai_chat import approved_answers
from apps.ai_chat.models import ApprovedAnswer, ApprovedQuestion, Feedback, Message
from apps.ai_chat.wording import normalise

MAX_ANSWERS = 2000
"""Answers that are looked at, newest first; bounds the time and the memory of the list."""
ANY_SITE = -1
REFUSED = frozenset(
    {"queue_full", "memory_pressure", "paused", "no_model", "model_loading", "draining"}
)
EXPIRED = frozenset({"queue_timeout", "first_token_timeout", "stalled", "deadline"})


class Reason(StrEnum):
    """Why a question counts as unanswered; the value is what staff read."""

    FAILED = "failed"
    REFUSED = "refused"
    EXPIRED = "took too long"
    DISLIKED = "thumbs down"
    NOT_TAKEN = "suggestions not taken"


@dataclass(slots=True, kw_only=True)
class UnansweredQuestion:
    """One question, in all the wordings that are the same when normalised."""

    normalised: str
    site_id: int | None
    site_name: str
    language: str
    """Language of the conversation; "" where it is not known."""
    text: str
    """How it was put the last time."""
    message_id: uuid.UUID
    """The message with that wording."""
    last: datetime
    message_ids: set[uuid.UUID] = field(default_factory=set)
    reasons: Counter[Reason] = field(default_factory=Counter)

    @property
    def num(self) -> int:
        """How many times it was asked."""
        return len(self.message_ids)

    @property
    def can_be_wording(self) -> bool:
        """False for what is too long to be approved."""
        return 0 < len(self.text) <= approved_answers.MAX_QUESTION_CHARS


@dataclass(frozen=True, slots=True, kw_only=True)
class UnansweredList:
    """The questions, most often asked first."""

    questions: tuple[UnansweredQuestion, ...]
    is_cut: bool
    """True if there were more answers in this time than are looked at."""


def list_unanswered(*, num_days: int = 30, site_id: int | None = ANY_SITE) -> UnansweredList:
    """What was asked in the last ``num_days`` and not answered well, without what is approved now.

    ``site_id`` None is our own page.
    """
    answers = _answers(since=timezone.now() - timedelta(days=num_days))
    if site_id != ANY_SITE:
        answers = answers.filter(conversation__site_id=site_id)
    rows = list(answers[: MAX_ANSWERS + 1])
    taken = _taken(rows)
    groups: dict[tuple[int | None, str, str], UnansweredQuestion] = {}
    for answer in rows[:MAX_ANSWERS]:
        if answer.question is None:
            continue
        reasons = tuple(_reasons(answer, is_taken=answer.question_id in taken))
        wanted = normalise(answer.question.text) if reasons else ""
        if wanted:
            _add(groups, answer, answer.question, wanted, reasons)
    approved = _approved(groups.values())
    left = [group for group in groups.values() if not _is_approved(group, approved)]
    left.sort(key=lambda group: (-group.num, -group.last.timestamp()))
    return UnansweredList(questions=tuple(left), is_cut=len(rows) > MAX_ANSWERS)


def find_question(message_id: uuid.UUID) -> Message:
    """A question a visitor asked; raises Message.DoesNotExist."""
    questions = Message.objects.select_related("conversation")
    return questions.get(id=message_id, role=Message.Role.USER, is_command=False)


def answers_to_choose_from(*, question: Message, search: str = "") -> QuerySet[ApprovedAnswer]:
    """The approved answers a question can become a wording of."""
    place = question.conversation
    answers = ApprovedAnswer.objects.filter(
        site_id=place.site_id,
        language__in=approved_answers.languages_for(site_id=place.site_id, language=place.language),
    )
    if search:
        answers = answers.filter(
            Q(text__icontains=search) | Q(questions__text__icontains=search)
        ).distinct()
    return answers.prefetch_related("questions")


def add_to_answer(*, message_id: uuid.UUID, answer_id: int) -> ApprovedQuestion:
    """Make a logged question a wording of an approved answer; raises ValidationError if it cannot.

    What was deleted meanwhile raises DoesNotExist.
    """
    with transaction.atomic():
        question = find_question(message_id)
        answer = answers_to_choose_from(question=question).filter(pk=answer_id).first()
        if answer is None:
            if not ApprovedAnswer.objects.filter(pk=answer_id).exists():
                raise ApprovedAnswer.DoesNotExist
            raise ValidationError(
                "That answer is for another site or language than this question.", code="elsewhere"
            )
        return approved_answers.add_wording(answer=answer, text=question.text)


def _answers(*, since: datetime) -> QuerySet[Message]:
    """Answers that may belong in the list, newest first."""
    good = Message.objects.filter(
        question=OuterRef("question"), state=Message.State.COMPLETE, error_code=""
    ).exclude(reason="deadline")
    bad = Q(state=Message.State.FAILED) | ~Q(error_code="") | Q(reason="deadline")
    offered = ~Q(suggestions=[]) | ~Q(question__suggestions=[])
    return (
        Message.objects.filter(
            role=Message.Role.ASSISTANT, is_command=False, created__gte=since, approved_answer=None
        )
        # Asked again with success is answered.
        .filter((bad & ~Exists(good)) | Q(feedback__value=Feedback.Value.DOWN) | offered)
        .select_related("question", "conversation__site", "feedback")
        .order_by("-created")
    )


def _reasons(answer: Message, *, is_taken: bool) -> Iterator[Reason]:
    if answer.error_code in REFUSED:
        yield Reason.REFUSED
    elif answer.error_code in EXPIRED or answer.reason == "deadline":
        yield Reason.EXPIRED
    elif answer.state == Message.State.FAILED or answer.error_code:
        yield Reason.FAILED
    if hasattr(answer, "feedback") and answer.feedback.value == Feedback.Value.DOWN:
        yield Reason.DISLIKED
    if _suggestions(answer) and not is_taken:
        yield Reason.NOT_TAKEN


def _suggestions(answer: Message) -> tuple[str, ...]:
    """What was offered with an answer, whichever of the two messages keeps it."""
    found: list[object] = []
    for message in (answer, answer.question):
        if message is not None and isinstance(message.suggestions, list):
            found += message.suggestions
    return tuple(text for text in found if isinstance(text, str))


def _taken(answers: Iterable[Message]) -> set[uuid.UUID | None]:
    """Ids of the questions whose visitor went on with one of the suggestions."""
    offers = {answer: {normalise(text) for text in _suggestions(answer)} for answer in answers}
    offers = {answer: texts for answer, texts in offers.items() if texts}
    asked: dict[uuid.UUID, list[tuple[int, str]]] = {}
    conversations = {answer.conversation_id for answer in offers}
    later = Message.objects.filter(conversation__in=conversations, role=Message.Role.USER)
    for conversation, number, text in later.values_list("conversation_id", "number", "text"):
        asked.setdefault(conversation, []).append((number, normalise(text)))
    return {
        answer.question_id
        for answer, texts in offers.items()
        if any(
            number > answer.number and text in texts
            for number, text in asked.get(answer.conversation_id, ())
        )
    }


def _add(
    groups: dict[tuple[int | None, str, str], UnansweredQuestion],
    answer: Message,
    question: Message,
    wanted: str,
    reasons: tuple[Reason, ...],
) -> None:
    conversation = answer.conversation
    key = (conversation.site_id, conversation.language, wanted)
    group = groups.get(key)
    if group is None:
        # Answers come newest first, so this wording is the newest one.
        group = groups[key] = UnansweredQuestion(
            normalised=wanted,
            site_id=conversation.site_id,
            site_name=conversation.site.name if conversation.site else "",
            language=conversation.language,
            text=question.text,
            message_id=question.id,
            last=answer.created,
        )
    group.message_ids.add(question.id)
    group.reasons.update(reasons)


def _approved(groups: Iterable[UnansweredQuestion]) -> dict[str, set[tuple[int | None, str]]]:
    """The forms that are approved by now, each with the sites and languages it is approved for."""
    questions = ApprovedQuestion.objects.filter(
        normalised__in={group.normalised for group in groups}, answer__is_on=True
    )
    found: dict[str, set[tuple[int | None, str]]] = {}
    for form, site_id, language in questions.values_list("normalised", "site_id", "language"):
        found.setdefault(form, set()).add((site_id, language))
    return found


def _is_approved(
    group: UnansweredQuestion, approved: dict[str, set[tuple[int | None, str]]]
) -> bool:
    places = approved.get(group.normalised)
    if not places:
        return False
    languages = approved_answers.languages_for(site_id=group.site_id, language=group.language)
    return any((group.site_id, name) in places for name in languages)
