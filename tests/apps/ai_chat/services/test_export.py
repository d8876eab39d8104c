"""A copy of everything, and of nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from apps.ai_chat import services
from apps.ai_chat.models import Conversation
from apps.ai_chat.services import export
from apps.ai_chat.visitor import Visitor, new_load_test_id, visitor_of_id, visitor_of_user
from apps.widget.models import Site
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


def exported(**which: Any) -> list[list[str]]:
    """The texts of each conversation."""
    return [[m["text"] for m in chat["messages"]] for chat in services.export_chats(**which)]


def test_chats_of_a_visitor_a_conversation_a_site_or_all() -> None:
    site = Site.objects.create(name="Shop")
    ours = exchange("One?", "Yes.")
    theirs = exchange("Theirs?", "No.", visitor=BERT)
    Conversation.objects.filter(id=theirs.conversation).update(site=site)
    one, other = ["One?", "Yes."], ["Theirs?", "No."]
    assert exported() == [one, other]
    assert exported(visitor_key=ANNA.key) == [one]
    assert exported(conversation=theirs.conversation) == [other]
    assert exported(site=site) == [other]
    first, second = services.export_chats()
    assert (first["site"], first["visitor"]) == (None, ANNA.pseudonym)
    assert (second["site"], second["visitor"]) == ("Shop", BERT.pseudonym)
    assert ANNA.key not in json.dumps(first) and first["id"] == str(ours.conversation)


def test_simulated_visitors_are_left_out() -> None:
    exchange("Load?", "Yes.", visitor=visitor_of_id(new_load_test_id()))
    assert exported() == []


def test_any_number_is_read_in_batches(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    for number in range(5):
        exchange(f"{number}?", f"{number}.")
    # Rows made in the same moment must be neither lost nor repeated.
    Conversation.objects.update(created=timezone.now())
    with django_assert_num_queries(2 * 3 + 1):
        texts = exported()
    assert sorted(texts) == [[f"{number}?", f"{number}."] for number in range(5)]


def test_a_visitor_is_found_by_pseudonym_or_user_name() -> None:
    user = get_user_model().objects.create_user("clara")
    clara = visitor_of_user(user)
    exchange("Mine?", "Yes.", visitor=clara)
    exchange("One?", "Yes.")
    assert services.find_visitor_key("clara") == clara.key
    assert services.find_visitor_key(ANNA.pseudonym.upper()) == ANNA.key
    with pytest.raises(services.UnknownVisitor, match="No visitor called v-000000"):
        services.find_visitor_key("v-000000")


def test_two_visitors_of_one_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange("One?", "Yes.")
    exchange("Two?", "Yes.", visitor=BERT)
    monkeypatch.setattr(Visitor, "pseudonym", "v-111111")
    with pytest.raises(services.UnknownVisitor, match="the name of 2 visitors"):
        services.find_visitor_key("v-111111")
