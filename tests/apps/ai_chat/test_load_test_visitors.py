"""Simulated visitors: let in by the key, marked, free of the limit of an address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.load_test_visitors import load_test_token
from apps.ai_chat.models import Conversation
from apps.ai_chat.visitor import new_load_test_id, new_visitor_id, unsign, visitor_of_id
from apps.ai_pool.load_test.key import HEADER, load_test_key


def scope(**headers: str) -> dict[str, Any]:
    return {"headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()]}


def test_without_the_header_nothing_happens() -> None:
    assert load_test_token(scope()) == ""


def test_the_key_makes_a_marked_visitor() -> None:
    token = load_test_token(scope(**{HEADER: load_test_key()}))
    visitor_id = unsign(token)
    assert visitor_id is not None
    assert visitor_of_id(visitor_id).is_load_test


def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(ChatError) as caught:
        load_test_token(scope(**{HEADER: "guessed-guessed-guessed"}))
    assert caught.value.code == "unauthorised"


def test_people_are_not_marked_and_have_their_address() -> None:
    person, simulated = visitor_of_id(new_visitor_id()), visitor_of_id(new_load_test_id())
    assert not person.is_load_test
    assert replace(person, host="8.8.8.8").asker.address
    assert replace(simulated, host="8.8.8.8").asker.address == ""


@pytest.mark.django_db
def test_only_what_simulated_visitors_wrote_is_removed() -> None:
    kept, gone = visitor_of_id(new_visitor_id()), visitor_of_id(new_load_test_id())
    for visitor in (kept, gone):
        Conversation.objects.create(visitor=visitor.key, updated=timezone.now())
    assert services.erase_load_tests() == 1
    assert [row.visitor for row in Conversation.objects.all()] == [kept.key]
