"""A visitor's rights: what is kept, a copy of it, and an end to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.visitor import visitor_of_id, visitor_of_widget
from apps.widget import services
from apps.widget.models import Erasure, Site
from tests.apps.api.test_authentication import SHOP, VISITOR_ID, bearer, token_of
from tests.apps.api.test_conversations import ANNA, BERT, client_of, error_of, exchange

pytestmark = pytest.mark.django_db
VISITOR, EXPORT = "/api/v1/visitor", "/api/v1/visitor/export"


@pytest.fixture
def site() -> Site:
    site = Site.objects.create(name="Shop", retention_days=7)
    services.allow_origin(site, SHOP)
    return site


@pytest.fixture
def headers(site: Site) -> dict[str, str]:
    return bearer(token_of(site))


def test_what_is_kept_and_how_long(site: Site, headers: dict[str, str]) -> None:
    exchange(visitor_of_widget(site, VISITOR_ID))
    answer = Client().get(VISITOR, headers=headers)
    assert answer.json()["num_conversations"] == 1
    assert answer.json()["retention_days"] == 7
    assert "questions" in answer.json()["kept"]
    assert answer["Cache-Control"] == "no-store"
    nobody = Client().get(VISITOR).json()
    assert nobody["num_conversations"] == 0 and nobody["retention_days"] == 30


def test_export_is_a_file_with_everything_and_nobody_elses(
    site: Site, headers: dict[str, str]
) -> None:
    visitor = visitor_of_widget(site, VISITOR_ID)
    exchange(visitor, "Where are you?", "In Graz.")
    exchange(visitor, "Is it far?", "No.")
    exchange(visitor_of_id(ANNA), "Anna's secret", "It is kept.")
    answer = Client().get(EXPORT, headers=headers)
    assert answer.status_code == 200 and answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"].startswith('attachment; filename="chats-')
    assert answer["Cache-Control"] == "no-store"
    text = answer.content.decode()
    for words in ("Where are you?", "In Graz.", "Is it far?", "No."):
        assert words in text
    assert "Anna" not in text and visitor.key not in text
    assert isinstance(json.loads(text), dict)


def test_erase_is_at_once_and_complete(site: Site, headers: dict[str, str]) -> None:
    exchange(visitor_of_widget(site, VISITOR_ID))
    exchange(visitor_of_widget(site, VISITOR_ID), "Two?")
    exchange(visitor_of_id(ANNA))
    answer = Client(enforce_csrf_checks=True).delete(VISITOR, headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {"num_conversations": 2, "num_messages": 4}
    assert Conversation.objects.count() == 1 and Message.objects.count() == 2, "Anna's"
    proof = Erasure.objects.get()
    assert (proof.site, proof.num_conversations, proof.num_messages) == (site, 2, 4)
    again = Client().delete(VISITOR, headers=headers)
    assert again.status_code == 200 and again.json()["num_conversations"] == 0


def test_our_own_page_too(settings: Any) -> None:
    exchange(visitor_of_id(ANNA), "Mine")
    exchange(visitor_of_id(BERT), "Bert's")
    client = client_of(ANNA)
    assert "Mine" in client.get(EXPORT).content.decode()
    assert client.get(VISITOR).json()["retention_days"] == 30
    settings.CORRAL_RETENTION_DAYS = 0
    assert client.get(VISITOR).json()["retention_days"] is None, "until the visitor deletes it"
    assert client.delete(VISITOR).status_code == 200
    assert [row.title for row in Conversation.objects.all()] == ["Bert's"]


def test_erasing_by_cookie_needs_the_csrf_token() -> None:
    exchange(visitor_of_id(ANNA))
    assert error_of(client_of(ANNA, checks_csrf=True).delete(VISITOR)) == (403, "forbidden")
    assert Conversation.objects.exists()


def test_open_tabs_hear_of_it(
    site: Site, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        "apps.api.privacy.tell_everywhere", lambda key, event: told.append((key, event))
    )
    visitor = visitor_of_widget(site, VISITOR_ID)
    sent = exchange(visitor)
    Client().delete(VISITOR, headers=headers)
    event = {"type": "conversation.deleted", "conversation": str(sent.conversation)}
    assert told == [(visitor.key, event)]


def test_strangers_have_nothing_to_erase_or_export() -> None:
    assert error_of(Client().get(EXPORT))[0] == 401
    assert error_of(Client().delete(VISITOR))[0] == 401
