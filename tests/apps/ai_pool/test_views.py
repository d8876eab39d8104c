"""The status page and the probes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import AsyncClient
from pytest_django import Settings

from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.status import MemoryStatus, PoolState, PoolStatus
from apps.ai_pool import views
from apps.ai_pool.throttle import MAX_TURNS, Throttle
from tests.apps.ai_pool.conftest import READY, ScriptedPool

THREE_LINES = "Pool Status:\n   Available: 1/3\n   In Use: 2\n   Waiting: 1"


@pytest.fixture
def visitor() -> AsyncClient:
    return AsyncClient()


@pytest.fixture
async def staff(transactional_db: None) -> AsyncClient:
    user = await get_user_model().objects.acreate(username="staff", is_staff=True)
    await user.user_permissions.aadd(await Permission.objects.aget(codename="view_poolstatus"))
    client = AsyncClient()
    await client.aforce_login(user)
    return client


pytestmark = pytest.mark.django_db(transaction=True)


async def test_everybody_sees_the_lines_and_no_more(
    pool: ScriptedPool, visitor: AsyncClient
) -> None:
    answer = await visitor.get("/pool/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert THREE_LINES in page
    assert "The wait is about 2 min." in page
    assert "TinyLlama" not in page
    assert "7f3a" not in page
    assert "<script>" not in page
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PoolState.LOADING, "is starting"),
        (PoolState.DRAINING, "before a restart"),
        (PoolState.DOWN, "not available"),
        (PoolState.FAILED, "not available"),
    ],
)
async def test_the_page_says_what_the_matter_is_without_details(
    pool: ScriptedPool, visitor: AsyncClient, state: PoolState, words: str
) -> None:
    pool.answer = PoolStatus(state=state, reason="/srv/model.gguf is empty.")
    page = (await visitor.get("/pool/")).content.decode()
    assert words in page
    assert "/srv" not in page


async def test_text_and_json_by_parameter_or_header(
    pool: ScriptedPool, visitor: AsyncClient
) -> None:
    for options in ({"query_params": {"format": "text"}}, {"headers": {"Accept": "text/plain"}}):
        answer = await visitor.get("/pool/", **options)
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.content.decode() == THREE_LINES + "\n"
    for options in (
        {"query_params": {"format": "json"}},
        {"headers": {"Accept": "application/json"}},
    ):
        answer = await visitor.get("/pool/", **options)
        assert json.loads(answer.content)["available"] == 1
    browser = await visitor.get("/pool/", headers={"Accept": "text/html,application/json;q=0.9"})
    assert browser["Content-Type"].startswith("text/html")
    assert (await visitor.get("/pool/?format=nonsense"))["Content-Type"].startswith("text/html")


async def test_only_the_part_that_changes(pool: ScriptedPool, visitor: AsyncClient) -> None:
    page = (await visitor.get("/pool/?format=part")).content.decode()
    assert THREE_LINES in page
    assert "<html" not in page


async def test_staff_see_the_table(pool: ScriptedPool, staff: AsyncClient) -> None:
    page = (await staff.get("/pool/")).content.decode()
    assert THREE_LINES in page
    for part in ("TinyLlama 1.1B Q5_K_M", "7f3a..", "[######..........]", "user_stop 2"):
        assert part in page
    text = (await staff.get("/pool/?format=text")).content.decode()
    assert text.startswith(THREE_LINES)
    assert "7f3a.." in text
    full = json.loads((await staff.get("/pool/?format=json")).content)
    assert full["instances"][0]["num_generated"] == 84


async def test_staff_see_the_reason_escaped(pool: ScriptedPool, staff: AsyncClient) -> None:
    pool.answer = PoolStatus.down("<b>x</b> is empty.")
    page = (await staff.get("/pool/")).content.decode()
    assert "&lt;b&gt;x&lt;/b&gt; is empty." in page


@pytest.mark.parametrize("is_staff", [False, True])
async def test_who_may_not_see_it_sees_what_everybody_does(
    pool: ScriptedPool, is_staff: bool
) -> None:
    """Neither somebody who is only signed in, nor staff without the permission."""
    user = await get_user_model().objects.acreate(username="visitor", is_staff=is_staff)
    client = AsyncClient()
    await client.aforce_login(user)
    assert "TinyLlama" not in (await client.get("/pool/")).content.decode()
    assert "model" not in (await client.get("/pool/?format=json")).json()


async def test_staff_see_who_waits(pool: ScriptedPool, staff: AsyncClient) -> None:
    for query in ("", "?format=text", "?format=part"):
        page = (await staff.get("/pool/" + query)).content.decode()
        assert "v-31a0c2" in page and "5-10s" in page


async def test_keys_lead_to_what_this_user_may_do(pool: ScriptedPool, staff: AsyncClient) -> None:
    assert "data-pool-drain" not in (await staff.get("/pool/")).content.decode()
    user = await get_user_model().objects.aget(username="staff")
    await user.user_permissions.aadd(await Permission.objects.aget(codename="cancel_request"))
    page = (await staff.get("/pool/")).content.decode()
    assert "data-pool-drain" not in page
    link = re.search(r'href="([^"]+)" data-pool-cancel', page)
    assert link is not None
    assert (await staff.get(link[1])).status_code == 200


async def test_who_asks_too_often_is_told_when_to_come_again(
    pool: ScriptedPool,
    visitor: AsyncClient,
    staff: AsyncClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    now = 0.0
    throttle = Throttle(lambda: now)
    monkeypatch.setattr(views, "THROTTLE", throttle)
    far: Any = {"headers": {"X-Forwarded-For": "203.0.114.9"}}
    for _ in range(int(MAX_TURNS)):
        assert (await visitor.get("/pool/", **far)).status_code == 200
    refused = await visitor.get("/pool/", **far)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "1"
    assert (await staff.get("/pool/", **far)).status_code == 200
    assert (await visitor.get("/pool/")).status_code == 200, "this machine is a proxy, maybe"
    now = 1.0
    assert (await visitor.get("/pool/", **far)).status_code == 200


async def test_many_who_ask_are_one_question_to_the_pool(
    pool: ScriptedPool, visitor: AsyncClient
) -> None:
    for _ in range(5):
        await visitor.get("/pool/?format=json")
    assert pool.num_asked == 1


async def test_the_page_can_be_closed_to_the_public(
    pool: ScriptedPool, visitor: AsyncClient, staff: AsyncClient, settings: Settings
) -> None:
    settings.CORRAL_POOL_PUBLIC = False
    for query in ("", "?format=text", "?format=json", "?format=part"):
        assert (await visitor.get("/pool/" + query)).status_code == 404
    assert pool.num_asked == 0
    assert (await staff.get("/pool/")).status_code == 200


@pytest.mark.parametrize("path", ["/pool/", "/health/live", "/health/ready", "/health/assistant"])
async def test_only_reading_is_allowed(pool: ScriptedPool, visitor: AsyncClient, path: str) -> None:
    assert (await visitor.post(path)).status_code == 405
    assert (await visitor.head(path)).status_code == 200


async def test_live_asks_nobody(pool: ScriptedPool, visitor: AsyncClient) -> None:
    assert (await visitor.get("/health/live")).json() == {"status": "ok"}
    assert pool.num_asked == 0


async def test_ready_asks_the_database_and_not_the_pool(
    pool: ScriptedPool, visitor: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.answer = PoolUnavailable("gone")
    assert (await visitor.get("/health/ready")).status_code == 200

    def refuse() -> None:
        raise OSError("no database")

    monkeypatch.setattr(views, "_ask_database", refuse)
    answer = await visitor.get("/health/ready")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "database" in answer.json()["reason"]


@pytest.mark.parametrize("state", [state for state in PoolState if state is not PoolState.READY])
async def test_the_assistant_is_503_with_reason_and_retry_after(
    pool: ScriptedPool, visitor: AsyncClient, state: PoolState
) -> None:
    assert (await visitor.get("/health/assistant")).status_code == 200
    pool.answer = replace(READY, state=state, reason="Because.")
    answer: Any = await visitor.get("/health/assistant")
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer.json() == {"status": str(state), "reason": "Because."}


async def test_an_emergency_of_memory_is_no_time_to_ask(
    pool: ScriptedPool, visitor: AsyncClient
) -> None:
    pool.answer = replace(READY, memory=MemoryStatus(level="high"))
    assert (await visitor.get("/health/assistant")).status_code == 200
    pool.answer = replace(READY, memory=MemoryStatus(level="critical"))
    answer: Any = await visitor.get("/health/assistant")
    assert answer.status_code == 503 and int(answer["Retry-After"]) > 0
    assert answer.json()["status"] == "emergency"
