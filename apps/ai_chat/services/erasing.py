"""Deleting what visitors wrote: at once when they ask, and when its time is over."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.visitor import Visitor
from apps.widget.models import Erasure, Site

PRUNE_BATCH = 200
"""Conversations that are deleted in one transaction, so that nobody waits long for the database."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was deleted."""

    num_conversations: int
    num_messages: int


def erase_visitor(visitor: Visitor) -> Erased:
    """Delete everything that is stored of a visitor at once, and stop what is being answered.

    A note without any content stays: when it was, on which website, and how much.
    """
    with transaction.atomic():
        rows = Conversation.objects.filter(visitor=visitor.key)
        messages = Message.objects.filter(conversation__in=rows)
        running = messages.filter(state=Message.State.STREAMING)
        generations = [g for g in running.values_list("generation", flat=True) if g is not None]
        erased = Erased(rows.count(), messages.count())
        rows.delete()
        if erased.num_conversations and not visitor.is_load_test:
            Erasure.objects.create(
                site_id=visitor.site_id,
                num_conversations=erased.num_conversations,
                num_messages=erased.num_messages,
            )
    _stop(generations)
    return erased


def erase_load_tests() -> int:
    """Delete what simulated visitors wrote, of load tests that were killed; returns how many
    conversations. Answers in the making are left alone."""
    rows = Conversation.objects.filter(visitor__startswith="l:").exclude(
        messages__state=Message.State.STREAMING
    )
    num_gone = 0
    while batch := list(rows.values_list("id", flat=True)[:PRUNE_BATCH]):
        with transaction.atomic():
            Conversation.objects.filter(id__in=batch).delete()
        num_gone += len(batch)
    return num_gone


def prune_conversations(
    *, now: datetime | None = None, on_batch: Callable[[int], None] | None = None
) -> int:
    """Delete conversations nobody wrote in for as many days as their website keeps them.

    For those of our own page CORRAL_RETENTION_DAYS says how long. Answers in the making are left
    alone. ``on_batch`` is told after every batch how many are gone so far. Returns how many.
    """
    now = now or timezone.now()
    num_gone = 0
    sites: list[Site | None] = [None, *Site.objects.only("id", "retention_days")]
    for site in sites:
        days = retention_days(site)
        if days is None:
            continue
        old = Conversation.objects.filter(
            site=site, updated__lt=now - timedelta(days=days)
        ).exclude(messages__state=Message.State.STREAMING)
        while batch := list(old.values_list("id", flat=True)[:PRUNE_BATCH]):
            with transaction.atomic():
                Conversation.objects.filter(id__in=batch).delete()
            num_gone += len(batch)
            if on_batch is not None:
                on_batch(num_gone)
    return num_gone


def retention_days(site: Site | None) -> int | None:
    """Days after its last message until a conversation is deleted, on a website or (None) on our
    own page; None: it stays until its visitor deletes it."""
    if site is not None:
        return site.retention_days
    return int(settings.CORRAL_RETENTION_DAYS) or None


def _stop(generations: Iterable[uuid.UUID]) -> None:
    from apps.ai_chat.generations import stop_everywhere

    for generation in generations:
        stop_everywhere(generation)
