"""Answers that staff stand for: found for a visitor, written and worded by staff.

Only a question whose normalised form is exactly that of an approved wording is answered by one.
Similar wordings are merely offered. Synchronous; from a coroutine call these functions through
``database_sync_to_async``. What cannot be stored is a ``ValidationError`` with a sentence.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet

from apps.ai_chat.models import ApprovedAnswer, ApprovedQuestion
from apps.ai_chat.question_index import Entry, Near, QuestionIndex
from apps.ai_chat.wording import normalise
from apps.widget.models import Site

__all__ = ["find_answer", "find_near", "has_any", "near_answers", "normalise"]

MAX_QUESTION_CHARS = 400
"""The longest wording; a longer question of a visitor is never matched."""
MAX_WORDINGS = 40
"""Of one answer; the form of the admin shows them all."""
MAX_QUESTIONS = 20_000
"""Wordings of a site and language that similar ones are looked for in, newest first."""
MAX_INDEXES = 16
NEAR_SCORE = 0.5
"""From here on a wording is offered to a visitor."""
STAFF_NEAR_SCORE = 0.25
"""From here on an answer is offered to staff, who read it before they choose."""

_Key = tuple[int | None, tuple[str, ...]]
_Stamp = tuple[Any, ...]
_indexes: OrderedDict[_Key, tuple[_Stamp, QuestionIndex]] = OrderedDict()
_lock = threading.Lock()


# For visitors


def has_any(*, site_id: int | None, language: str) -> bool:
    """Whether there is an answer in force that a question in this language could be given."""
    return bool(_index(site_id, languages_for(site_id=site_id, language=language)).entries)


def find_answer(*, site_id: int | None, language: str, text: str) -> ApprovedAnswer | None:
    """The answer staff approved for exactly this question, or None.

    Looked for in the conversation's language, then in the site's own.
    """
    wanted = _wanted(text)
    if not wanted:
        return None
    languages = languages_for(site_id=site_id, language=language)
    found = {
        question.language: question.answer
        for question in _questions(site_id, languages)
        .filter(normalised=wanted)
        .select_related("answer")
    }
    return next((found[name] for name in languages if name in found), None)


def find_near(*, site_id: int | None, language: str, text: str, limit: int = 3) -> tuple[str, ...]:
    """Approved questions like this one, best first, at most one of each answer.

    They are for the visitor to choose from and are never answered unasked.
    """
    near = near_answers(site_id=site_id, language=language, text=text, limit=limit)
    return tuple(item.text for item in near)


def near_answers(
    *,
    site_id: int | None,
    language: str,
    text: str,
    limit: int = 3,
    least: float = NEAR_SCORE,
) -> tuple[Near, ...]:
    """The same with the answers they belong to and how similar they are."""
    wanted = _wanted(text)
    if not wanted or limit < 1:
        return ()
    languages = languages_for(site_id=site_id, language=language)
    return _index(site_id, languages).find(wanted, limit=limit, least=least)


def languages_for(*, site_id: int | None, language: str) -> tuple[str, ...]:
    """Languages to look in, in this order: the conversation's ("de-at", then "de"), the site's."""
    if site_id is None:
        default = settings.LANGUAGE_CODE
    else:
        default = Site.objects.filter(pk=site_id).values_list("default_language", flat=True).first()
    names = []
    for name in (language, default or ""):
        name = name.strip().lower().replace("_", "-")
        names += [name, name.partition("-")[0]]
    return tuple(dict.fromkeys(filter(None, names)))


def _wanted(text: str) -> str:
    """The form to look for; "" where nothing can be found."""
    # Four times: what is folded away may have been longer, but has an end too.
    if len(text) > 4 * MAX_QUESTION_CHARS:
        return ""
    wanted = normalise(text)
    return wanted if len(wanted) <= MAX_QUESTION_CHARS else ""


def _questions(site_id: int | None, languages: Iterable[str]) -> QuerySet[ApprovedQuestion]:
    """The wordings in force."""
    return ApprovedQuestion.objects.filter(
        site_id=site_id, language__in=tuple(languages), answer__is_on=True
    )


def _index(site_id: int | None, languages: tuple[str, ...]) -> QuestionIndex:
    """The index of a site, made anew when the database has changed, whoever changed it."""
    questions = _questions(site_id, languages)
    numbers = questions.aggregate(num=Count("id"), last=Max("id"), updated=Max("answer__updated"))
    stamp = tuple(numbers.values())
    key = (site_id, languages)
    with _lock:
        known = _indexes.get(key)
        if known is not None and known[0] == stamp:
            _indexes.move_to_end(key)
            return known[1]
    rows = questions.order_by("-id").values_list("answer_id", "text", "normalised")
    index = QuestionIndex(Entry(*row) for row in rows[:MAX_QUESTIONS])
    with _lock:
        _indexes[key] = (stamp, index)
        _indexes.move_to_end(key)
        while len(_indexes) > MAX_INDEXES:
            _indexes.popitem(last=False)
    return index


# For staff


def check_wording(
    *, site_id: int | None, language: str, text: str, answer_id: int | None = None
) -> str:
    """The normalised form of a wording that may be stored; raises ValidationError otherwise.

    ``answer_id`` is the answer it is for (None: a new one), whose own wordings are not looked at.
    """
    wanted = normalise(text)
    if not wanted:
        raise ValidationError("This wording has no words in it.", code="empty")
    if len(text) > MAX_QUESTION_CHARS or len(wanted) > MAX_QUESTION_CHARS:
        raise ValidationError(
            f"A wording has at most {MAX_QUESTION_CHARS} characters.", code="too_long"
        )
    taken = ApprovedQuestion.objects.filter(
        site_id=site_id, language=language, normalised=wanted
    ).select_related("answer")
    other = taken.exclude(answer=answer_id).first() if answer_id else taken.first()
    if other is not None:
        state = "" if other.answer.is_on else ", which is off"
        raise ValidationError(
            f"\u201c{other.text}\u201d belongs to another approved answer already "
            f"(number {other.answer_id}{state}). Take it away there first, or change that answer.",
            code="taken",
        )
    return wanted


def check_wordings(*, answer: ApprovedAnswer, texts: Iterable[str]) -> None:
    """All wordings an answer is to have; raises ValidationError with every sentence there is."""
    errors: list[ValidationError] = []
    seen: dict[str, str] = {}
    for text in texts:
        try:
            wanted = check_wording(
                site_id=answer.site_id, language=answer.language, text=text, answer_id=answer.pk
            )
        except ValidationError as error:
            errors.append(error)
            continue
        if wanted in seen:
            errors.append(_twice(seen[wanted]))
        seen.setdefault(wanted, text)
    if len(seen) > MAX_WORDINGS:
        errors.append(_too_many())
    if errors:
        raise ValidationError(errors)


def add_wording(*, answer: ApprovedAnswer, text: str) -> ApprovedQuestion:
    """Let one more wording be answered by ``answer``."""
    text = " ".join(text.split())
    wanted = check_wording(
        site_id=answer.site_id, language=answer.language, text=text, answer_id=answer.pk
    )
    known = dict(answer.questions.values_list("normalised", "text"))
    if wanted in known:
        raise _twice(known[wanted])
    if len(known) >= MAX_WORDINGS:
        raise _too_many()
    try:
        with transaction.atomic():
            return ApprovedQuestion.objects.create(answer=answer, text=text)
    except IntegrityError:
        raise ValidationError(
            "Somebody else has just approved this wording.", code="taken"
        ) from None


def turn(*, answer: ApprovedAnswer, is_on: bool) -> bool:
    """Give the answer from now on, or no longer; False if nothing had to be changed."""
    if answer.is_on == is_on:
        return False
    answer.is_on = is_on
    answer.save(update_fields=["is_on", "updated", "language"])
    return True


def _twice(text: str) -> ValidationError:
    return ValidationError(
        f"This answer has the wording \u201c{text}\u201d already; case and punctuation make no "
        "difference.",
        code="twice",
    )


def _too_many() -> ValidationError:
    return ValidationError(f"An answer has at most {MAX_WORDINGS} wordings.", code="too_many")
