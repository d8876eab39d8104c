"""An end to what visitors wrote."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.ai_chat import generations, services
from apps.ai_chat.models import Conversation, Feedback, Message
from apps.ai_chat.services import erasing
from apps.ai_chat.visitor import visitor_of_widget
from apps.widget.models import Erasure, Handover, Site
from tests.apps.ai_chat.services.asking import (
    ANNA,
    exchange,
    send,
)

pytestmark = pytest.mark.django_db


def test_erase_takes_everything_of_one_visitor_and_leaves_a_bare_note() -> None:
    site = Site.objects.create(name="Shop")
    anna, bert = visitor_of_widget(site, "a" * 32), visitor_of_widget(site, "b" * 32)
    sent = exchange("Secret?", "Yes.", visitor=anna)
    services.rate_answer(visitor=anna, message_id=sent.answer, value=-1, comment="Secret")
    exchange("Kept?", "Yes.", visitor=bert)
    assert services.erase_visitor(anna) == services.Erased(1, 2)
    assert [c.title for c in Conversation.objects.all()] == ["Kept?"]
    assert Message.objects.count() == 2 and not Feedback.objects.exists()
    note = Erasure.objects.get()
    assert (note.site_id, note.num_conversations, note.num_messages) == (site.pk, 1, 2)
    fields = {field.name for field in Erasure._meta.get_fields()}
    assert fields == {"id", "site", "num_conversations", "num_messages", "created"}


def test_erase_stops_what_is_being_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[uuid.UUID] = []
    monkeypatch.setattr(generations, "stop_everywhere", stopped.append)
    sent = send("One?")
    services.erase_visitor(ANNA)
    assert stopped == [sent.generation]


def test_nothing_to_erase_leaves_no_note() -> None:
    assert services.erase_visitor(ANNA) == services.Erased(0, 0)
    assert not Erasure.objects.exists()


def test_prune_keeps_each_website_s_days() -> None:
    now = timezone.now()
    for name, days in (("Short", 1), ("Long", 100)):
        site = Site.objects.create(name=name, retention_days=days)
        exchange(f"{name}?", "Yes.", visitor=visitor_of_widget(site, "a" * 32))
    exchange("Own page?", "Yes.")
    Conversation.objects.update(updated=now - timedelta(days=2))
    assert services.prune_conversations(now=now) == 1
    assert {c.title for c in Conversation.objects.all()} == {"Long?", "Own page?"}
    assert services.prune_conversations(now=now) == 0


def test_prune_spares_what_is_being_answered_and_what_is_young() -> None:
    now = timezone.now()
    site = Site.objects.create(name="Shop", retention_days=1)
    anna = visitor_of_widget(site, "a" * 32)
    send("Running?", visitor=anna)
    Conversation.objects.update(updated=now - timedelta(days=2))
    bert = visitor_of_widget(site, "b" * 32)
    exchange("Young?", "Yes.", visitor=bert)
    assert services.prune_conversations(now=now) == 0


def test_prune_works_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "PRUNE_BATCH", 2)
    site = Site.objects.create(name="Shop", retention_days=1)
    for n in range(5):
        exchange("Old?", "Yes.", visitor=visitor_of_widget(site, f"{n:032}"))
    Conversation.objects.update(updated=timezone.now() - timedelta(days=2))
    told: list[int] = []
    assert services.prune_conversations(on_batch=told.append) == 5
    assert told == [2, 4, 5]


def test_prune_command() -> None:
    site = Site.objects.create(name="Shop", retention_days=1)
    exchange("Old?", "Yes.", visitor=visitor_of_widget(site, "a" * 32))
    Conversation.objects.update(updated=timezone.now() - timedelta(days=2))
    out = StringIO()
    call_command("chat_prune", stdout=out)
    assert "1 conversation" in out.getvalue() and "Old" not in out.getvalue()
    assert not Conversation.objects.exists()


def test_prune_of_our_own_page(settings: Any) -> None:
    now = timezone.now()
    exchange("Own page?", "Yes.")
    Conversation.objects.update(updated=now - timedelta(days=29))
    assert services.prune_conversations(now=now) == 0
    later = now + timedelta(days=2)
    settings.CORRAL_RETENTION_DAYS = 0
    assert services.prune_conversations(now=later) == 0, "for as long as its visitor wants"
    settings.CORRAL_RETENTION_DAYS = 30
    assert services.prune_conversations(now=later) == 1


def test_prune_command_forgets_codes_nobody_used() -> None:
    site = Site.objects.create(name="Shop")
    Handover.objects.create(
        site=site, digest="x", visitor="w", expires=timezone.now() - timedelta(seconds=1)
    )
    call_command("chat_prune", stdout=StringIO())
    assert not Handover.objects.exists()
