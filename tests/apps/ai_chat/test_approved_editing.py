"""Approved answers written: all of one or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.ai_chat import approved_editing
from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import ApprovedAnswer, ApprovedQuestion

pytestmark = pytest.mark.django_db


def create(*wordings: str, text: str = "Yes.", **values: Any) -> ApprovedAnswer:
    return approved_editing.create_answer(text=text, wordings=wordings or ("Open?",), **values)


def test_wordings_that_stay_keep_their_rows() -> None:
    answer = create("Open?", "Open now?")
    rows = {row.text: row.pk for row in answer.questions.all()}
    changed = approved_editing.change_answer(answer=answer, wordings=["OPEN", " Open\n today? "])
    now = {row.text: row.pk for row in changed.questions.all()}
    assert set(now) == {"OPEN", "Open today?"} and now["OPEN"] == rows["Open?"]


def test_a_race_for_a_wording_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two were checked at the same time: the database decides."""
    create("Open?")
    monkeypatch.setattr(approved_editing, "check_wordings", lambda **given: None)
    with pytest.raises(ValidationError, match="just approved"):
        create("open", text="No.")
    assert ApprovedAnswer.objects.count() == ApprovedQuestion.objects.count() == 1


def test_texts_are_cleaned() -> None:
    answer = create(text=" One\r\ntwo ", language="DE")
    assert (answer.text, answer.language) == ("One\ntwo", "de")


def test_deleted_is_gone() -> None:
    answer = create()
    approved_editing.delete_answer(answer=answer)
    assert not ApprovedQuestion.objects.exists()
    with pytest.raises(ChatError, match="not_found"):
        approved_editing.get_answer(answer.pk or 1)
