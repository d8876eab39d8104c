"""Server-sent events of the pool: for whom, in which form, and that a place is given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from pytest_django import Settings

from apps.ai_pool import event_views
from apps.ai_pool.lookout import get_lookout
from apps.ai_pool.throttle import Throttle
from apps.ai_pool.watchers import Bye, Watcher
from tests.apps.ai_pool.conftest import ScriptedPool
from tests.event_reader import EventReader

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = "/pool/events"


async def first_event(answer: Any) -> dict[str, Any]:
    reader = EventReader()
    async with asyncio.timeout(5):
        async for piece in answer.streaming_content:
            if found := reader.feed(piece):
                return found[0]
    raise AssertionError("no event")


@pytest.fixture
async def root(transactional_db: None) -> AsyncIterator[AsyncClient]:
    client = AsyncClient()
    await client.aforce_login(await get_user_model().objects.acreate_superuser("root"))
    yield client


async def test_everybody_gets_the_numbers(pool: ScriptedPool) -> None:
    answer = await AsyncClient().get(EVENTS)
    assert answer["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer["X-Accel-Buffering"] == "no" and answer["Cache-Control"] == "no-cache"
    event = await first_event(answer)
    assert event["in_use"] == 2 and "model" not in event
    answer.close()


async def test_staff_get_everything(pool: ScriptedPool, root: AsyncClient) -> None:
    answer = await root.get(EVENTS)
    event = await first_event(answer)
    assert event["model"]["quant"] == "Q5_K_M" and event["line"][0]["position"] == 1
    answer.close()


async def test_it_can_be_closed_to_the_public(
    pool: ScriptedPool, root: AsyncClient, settings: Settings
) -> None:
    settings.CORRAL_POOL_PUBLIC = False
    assert (await AsyncClient().get(EVENTS)).status_code == 404
    answer = await root.get(EVENTS)
    assert answer.status_code == 200
    answer.close()
    assert (await root.post(EVENTS)).status_code == 405


async def test_a_full_house_says_when_to_come_again_and_a_place_comes_back(
    pool: ScriptedPool, root: AsyncClient, settings: Settings
) -> None:
    settings.CORRAL_POOL_WATCHERS = 1
    first = await AsyncClient().get(EVENTS)
    refused = await AsyncClient().get(EVENTS)
    assert refused.status_code == 503 and int(refused["Retry-After"]) > 0
    by_staff = await root.get(EVENTS)
    assert by_staff.status_code == 200
    by_staff.close()
    await asyncio.to_thread(first.close)
    async with asyncio.timeout(5):
        while len(get_lookout().watchers):
            await asyncio.sleep(0.001)
    again = await AsyncClient().get(EVENTS)
    assert again.status_code == 200
    again.close()


async def test_coming_too_often_is_refused(
    pool: ScriptedPool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    throttle = Throttle(lambda: 0.0)
    monkeypatch.setattr(event_views, "THROTTLE", throttle)
    while not throttle.take("203.0.114.0/24"):
        pass
    answer = await AsyncClient().get(EVENTS, headers={"X-Forwarded-For": "203.0.114.9"})
    assert answer.status_code == 429


async def test_who_does_not_read_is_cut_off() -> None:
    class Line:
        has_given_up = False

        def give_up(self) -> None:
            self.has_given_up = True

    class Stream:
        async def objects(self) -> AsyncIterator[tuple[str, bytes]]:
            yield "bye", b"{}"

    for bye, is_cut_off in ((Bye.SLOW, True), (Bye.CLOSING, False)):
        line, watcher, lookout = Line(), Watcher(), get_lookout()
        lookout.watchers.admit(watcher)
        watcher.leave(bye)
        stream = event_views.EventStream(lookout, watcher, Stream(), line)  # type: ignore[arg-type]
        assert [piece async for piece in stream][-1] == b"event: bye\ndata: {}\n\n"
        assert line.has_given_up is is_cut_off
        assert len(lookout.watchers) == 0
