"""Approved answers written, changed and deleted, by whatever entrance.

What cannot be stored is a ``ValidationError`` with a sentence for each field. Synchronous; uses the
database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from apps.ai_chat.approved_answers import MAX_WORDINGS, check_wordings
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import ApprovedAnswer, ApprovedQuestion
from apps.ai_chat.wording import normalise
from apps.widget.models import Site


def list_answers(
    *, site_key: str | None = None, language: str = "", is_on: bool | None = None, text: str = ""
) -> QuerySet[ApprovedAnswer]:
    """Approved answers, the one that was changed last first, with site and wordings at hand.

    Those of one website (``site_key`` "" is our own page), one language, with this in the answer or
    in a wording, if that is wanted.
    """
    rows = ApprovedAnswer.objects.select_related("site").defer("site__logo")
    if site_key is not None:
        rows = rows.filter(site__key=site_key) if site_key else rows.filter(site=None)
    if language:
        rows = rows.filter(language=language.lower())
    if is_on is not None:
        rows = rows.filter(is_on=is_on)
    if text:
        worded = ApprovedQuestion.objects.filter(text__icontains=text).values("answer")
        rows = rows.filter(Q(text__icontains=text) | Q(pk__in=worded))
    return rows.prefetch_related("questions").order_by("-updated", "-id")


def get_answer(answer_id: int) -> ApprovedAnswer:
    """One of them. Raises ChatError ``not_found``."""
    found = list_answers().filter(pk=answer_id).first()
    if found is None:
        raise ChatError("not_found")
    return found


def create_answer(
    *,
    text: str,
    wordings: Sequence[str],
    site: Site | None = None,
    language: str = "",
    is_on: bool = True,
    author: Any = None,
) -> ApprovedAnswer:
    """Store a new answer to all these wordings; ``site`` None is our own page, ``language`` "" the
    site's own."""
    usual = settings.LANGUAGE_CODE if site is None else site.default_language
    answer = ApprovedAnswer(
        site=site, language=language or usual, text=text, is_on=is_on, author=author
    )
    return _store(answer, wordings)


def change_answer(
    *, answer: ApprovedAnswer, wordings: Sequence[str] | None = None, **values: Any
) -> ApprovedAnswer:
    """Give an answer other ``values`` (site, language, text, is_on), or other wordings."""
    for name, value in values.items():
        setattr(answer, name, value)
    known = [question.text for question in answer.questions.all()]
    return _store(answer, known if wordings is None else wordings)


def delete_answer(*, answer: ApprovedAnswer) -> None:
    """Let it be given to nobody any more; what it was given to keeps its text."""
    answer.delete()


def _store(answer: ApprovedAnswer, wordings: Sequence[str]) -> ApprovedAnswer:
    texts = [" ".join(text.split()) for text in wordings]
    answer.text = answer.text.replace("\r\n", "\n").replace("\x00", "").strip()
    answer.language = answer.language.strip().lower().replace("_", "-")
    _check(answer, texts)
    try:
        with transaction.atomic():
            answer.save()
            _set_wordings(answer, texts)
    except IntegrityError:
        said = "Somebody else has just approved one of these wordings."
        raise ValidationError({"wordings": said}, code="taken") from None
    return get_answer(answer.pk)


def _check(answer: ApprovedAnswer, texts: list[str]) -> None:
    if answer.language not in dict(settings.LANGUAGES):
        known = ", ".join(code for code, _ in settings.LANGUAGES)
        raise ValidationError({"language": f"The languages there are: {known}."})
    answer.full_clean(exclude=("site", "author"))
    if not texts:
        raise ValidationError({"wordings": "An answer needs one wording of its question at least."})
    if len(texts) > MAX_WORDINGS:
        raise ValidationError({"wordings": f"An answer has at most {MAX_WORDINGS} wordings."})
    try:
        check_wordings(answer=answer, texts=texts)
    except ValidationError as error:
        raise ValidationError({"wordings": error.messages}) from None


def _set_wordings(answer: ApprovedAnswer, texts: list[str]) -> None:
    """Keep the rows of wordings that stay: what was counted for them stays with them."""
    wanted = {normalise(text): text for text in texts}
    for question in answer.questions.all():
        text = wanted.pop(question.normalised, None)
        if text is None:
            question.delete()
        elif text != question.text:
            question.text = text
            question.save()
    for text in wanted.values():
        ApprovedQuestion.objects.create(answer=answer, text=text)
