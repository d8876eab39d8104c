"""The page in the admin: every state, every period, and never more queries for a longer one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.pool_sample import PoolSample
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.dashboard.page import PoolNow, page_context
from apps.ai_pool.dashboard.period import PERIODS, find_period
from apps.ai_pool.models import PoolHistory
from tests.apps.ai_pool.conftest import READY, ScriptedPool
from tests.project_files import ROOT

pytestmark = pytest.mark.django_db
PAGE = "/admin/ai_pool/poolstatus/"
MAX_QUERIES = 22
MAX_SCRIPT_BYTES = 7400


@pytest.fixture
def client() -> Client:
    signed_in = Client()
    signed_in.force_login(get_user_model().objects.create_superuser(username="root"))
    return signed_in


@pytest.fixture
def month() -> None:
    """Thirty days of hours and two of minutes."""
    now = timezone.now().replace(second=0, microsecond=0)
    rows = [
        PoolHistory(
            resolution_s=step_s,
            start=(at := now - timedelta(seconds=back * step_s)),
            unix_s=at.timestamp() + step_s - 1,
            seconds=step_s,
            num_samples=step_s // 10,
            num_done=3,
            num_instances=4,
            max_running=2,
        )
        for step_s, count in ((60, 2880), (3600, 720))
        for back in range(1, count)
    ]
    PoolHistory.objects.bulk_create(rows, batch_size=500)


def test_the_same_queries_for_every_period(client: Client, pool: ScriptedPool, month: None) -> None:
    client.get(PAGE)
    counts = set()
    for period in PERIODS:
        with CaptureQueriesContext(connection) as queries:
            page = client.get(PAGE, {"period": period.key})
        assert page.status_code == 200
        assert b"data-grid" in page.content, "something is drawn"
        counts.add(len(queries))
    # The usual period is the one of the cards, and needs not be read twice.
    assert max(counts) <= MAX_QUERIES and max(counts) - min(counts) <= 1


@pytest.mark.parametrize("state", PoolState)
def test_every_state_has_a_page(client: Client, pool: ScriptedPool, state: PoolState) -> None:
    pool.answer = PoolStatus(state=state, reason="The <cause>.")
    page = client.get(PAGE).content.decode()
    assert "No history yet" in page
    assert "<cause>" not in page
    assert "Nobody waits." in page


def test_a_pool_that_answers_half(client: Client, pool: ScriptedPool) -> None:
    pool.line = PoolUnavailable("Gone in the meantime.")
    page = client.get(PAGE).content.decode()
    assert "7f3a1111" in page, "what it has said is shown"
    pool.answer = PoolUnavailable("Gone.")
    assert "Down:" in client.get(PAGE).content.decode()


def test_the_part_is_what_changes(client: Client, pool: ScriptedPool, month: None) -> None:
    page = client.get(PAGE, {"period": "24h"}).content.decode()
    part = client.get(PAGE, {"period": "24h", "format": "part"}).content.decode()
    assert "<html" not in part and len(part) < len(page)
    swapped = page.count(" data-swap")
    assert swapped == part.count(" data-swap") >= 8
    assert 'data-part="?format=part&amp;period=24h"' in page


def test_nothing_inline_and_one_small_script(client: Client, pool: ScriptedPool) -> None:
    page = client.get(PAGE).content.decode()
    content = page.split('id="content"')[1]
    assert "style=" not in content and " onclick" not in content and "<script>" not in content
    assert content.count("<script") == 0 and page.count("dashboard.js") == 1
    script = ROOT / "apps/ai_pool/static/ai_pool/dashboard.js"
    assert script.stat().st_size <= MAX_SCRIPT_BYTES


def test_answers_of_today_and_the_last_hour() -> None:
    """What the pool has told since the last record counts as well."""
    now = timezone.now().replace(hour=12, minute=30)
    for back, done in ((1, 5), (20, 100), (0, 7)):
        start = (now - timedelta(hours=back)).replace(minute=0)
        PoolHistory.objects.create(
            resolution_s=3600,
            start=start,
            unix_s=start.timestamp() + (1700 if back == 0 else 3599),
            seconds=3600,
            num_samples=360,
            num_done=done,
        )
    # A minute that the hour has in it already.
    minute = now - timedelta(minutes=10)
    PoolHistory.objects.create(
        resolution_s=60, start=minute, unix_s=minute.timestamp() + 59, num_samples=6, num_done=7
    )
    fresh = PoolSample(unix_s=now.timestamp() - 5, seconds=10, num_done=2)
    context = page_context(PoolNow(READY, (fresh,)), find_period("1h"), now)
    cards = {card.slug: card for card in context["cards"]}
    assert cards["answers"].value == "14"
    assert cards["answers"].note == "9 in the last hour"


def test_what_fails_is_linked_only_for_who_may_see_it() -> None:
    now = timezone.now()
    period = find_period("1h")
    assert page_context(PoolNow(READY), period, now)["messages_url"] == ""
    linked = page_context(PoolNow(READY), period, now, messages_url="/m/")
    assert linked["cards"][-1].link == "/m/"
