"""A copy of everything, and of nobody else."""

from __future__ import annotations

import json

import pytest

from apps.ai_chat import services
from tests.apps.ai_chat.services.asking import (
    ANNA,
    BERT,
    edit,
    exchange,
    finish,
)

pytestmark = pytest.mark.django_db


def test_export_holds_every_version_and_no_key() -> None:
    first = exchange("One?", "Yes.", context={"Product": "Saddle"})
    finish(edit(first.message, "Uno?"), "Si.")
    services.rate_answer(visitor=ANNA, message_id=first.answer, value=1, comment="Good")
    exchange("Theirs?", "No.", visitor=BERT)
    exported = services.export_visitor(ANNA)
    text = json.dumps(exported)
    (conversation,) = exported["conversations"]
    assert [m["text"] for m in conversation["messages"]] == ["One?", "Yes.", "Uno?", "Si."]
    assert [m["is_shown"] for m in conversation["messages"]] == [False, False, True, True]
    assert conversation["messages"][0]["context"] == {"Product": "Saddle"}
    assert conversation["messages"][1]["feedback"]["comment"] == "Good"
    assert ANNA.key not in text and ANNA.pool_key not in text and "Theirs" not in text


def test_nothing_stored_is_an_empty_copy() -> None:
    assert services.export_visitor(ANNA)["conversations"] == []
