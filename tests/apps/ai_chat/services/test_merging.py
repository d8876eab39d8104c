"""Signing in takes along what was written before."""

from __future__ import annotations

import uuid

import pytest

from apps.ai_chat import services
from apps.ai_chat.models import Message
from apps.ai_chat.visitor import visitor_of_id, visitor_of_widget, visitor_of_widget_user
from apps.widget.models import Site
from tests.apps.ai_chat.services.asking import (
    ANNA,
    BERT,
    exchange,
    send,
)

pytestmark = pytest.mark.django_db


def test_conversations_move_with_their_messages() -> None:
    sent = exchange("One?", "Yes.")
    exchange("Theirs?", "Yes.", visitor=BERT)
    carl = visitor_of_id("c" * 32)
    assert services.merge_visitors(source=ANNA, target=carl) == 1
    assert services.get_conversation(visitor=carl, conversation_id=sent.conversation)
    assert not services.list_conversations(visitor=ANNA).exists()
    assert services.list_conversations(visitor=BERT).count() == 1
    assert Message.objects.get(id=sent.message).visitor == carl.key
    assert services.merge_visitors(source=ANNA, target=carl) == 0, "once is enough"


def test_sending_again_after_the_merge_stores_nothing_twice() -> None:
    cid = uuid.uuid4()
    exchange("One?", "Yes.", cid=cid)
    services.merge_visitors(source=ANNA, target=BERT)
    assert send("One?", cid=cid, visitor=BERT).is_dup


def test_same_id_on_both_sides_is_no_obstacle() -> None:
    cid = uuid.uuid4()
    exchange("One?", "Yes.", cid=cid)
    exchange("One?", "Yes.", cid=cid, visitor=BERT)
    assert services.merge_visitors(source=ANNA, target=BERT) == 1
    assert services.list_conversations(visitor=BERT).count() == 2


def test_a_chat_never_leaves_its_website() -> None:
    one, two = Site.objects.create(name="One"), Site.objects.create(name="Two")
    anna, other = visitor_of_widget(one, "a" * 32), visitor_of_widget_user(two, "anna")
    exchange("One?", "Yes.", visitor=anna)
    with pytest.raises(ValueError, match="two websites"):
        services.merge_visitors(source=anna, target=other)
    assert services.list_conversations(visitor=anna).count() == 1


def test_merging_with_oneself_changes_nothing() -> None:
    exchange("One?", "Yes.")
    assert services.merge_visitors(source=ANNA, target=ANNA) == 0
    assert services.list_conversations(visitor=ANNA).count() == 1
