"""What each site asks, from a fixed number of queries however many sites there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.ai_chat.models import Conversation, Feedback, Message
from apps.ai_pool.dashboard.sites import OWN_PAGE, read_sites
from apps.widget.models import RefusedOrigin, Site

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def ask(
    site: Site | None, minutes: float, visitor: str = "v", thumb: int = 0, wait_ms: int = 2000
) -> None:
    talk = Conversation.objects.create(visitor=visitor, site=site, updated=NOW)
    made = Message.objects.create(conversation=talk, number=1, role="assistant", queue_ms=wait_ms)
    Message.objects.filter(pk=made.pk).update(created=NOW - timedelta(minutes=minutes))
    if thumb:
        Feedback.objects.create(message=made, value=thumb)


def test_nobody_has_asked() -> None:
    assert read_sites(NOW) == []


def test_counts(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    shop, quiet = Site.objects.create(name="Shop"), Site.objects.create(name="Quiet")
    ask(shop, 5, "a", thumb=1)
    ask(shop, 30, "a", thumb=-1)
    ask(shop, 90, "b")
    ask(shop, 60 * 30, "c")
    ask(None, 10)
    RefusedOrigin.objects.create(site=shop, origin="https://new.example.org", num_tries=9)
    with django_assert_num_queries(5):
        first, *rest = read_sites(NOW + timedelta(seconds=1))
    assert (first.name, first.asks_hour, first.asks_day) == ("Shop", 2, 3)
    assert (first.num_visitors, first.wait, first.liked) == (2, "2.0 s", "50% of 2")
    assert first.num_refused == 1
    assert [(use.name, use.asks_day) for use in rest] == [(OWN_PAGE, 1), (quiet.name, 0)]
    assert rest[1].liked == "–" and rest[1].wait == "–"


def test_waits_of_each_site() -> None:
    """One who waits long is no mean: half wait a second, and the last of twenty a minute."""
    shop = Site.objects.create(name="Shop")
    for number in range(19):
        ask(shop, number, wait_ms=1000)
    ask(shop, 1, wait_ms=60_000)
    ask(None, 1, wait_ms=500)
    first, own = read_sites(NOW + timedelta(seconds=1))
    assert (first.wait, first.long_wait) == ("1.0 s", "60 s")
    assert (own.wait, own.long_wait) == ("0.5 s", "0.5 s")
