"""Answers that failed, made again for the operator: once, and only where nobody went on since."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest
from channels.db import database_sync_to_async

from apps.ai_chat import second_try
from apps.ai_chat.models import Message
from apps.ai_chat.second_try import NobodyAnswers, answer_again
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

again = database_sync_to_async(answer_again)


@database_sync_to_async
def answers() -> list[Message]:
    return list(Message.objects.filter(role="assistant").order_by("created"))


async def failed(tab: Tab, pool: FakePool) -> uuid.UUID:
    """Ask something that gets no answer; returns the id of what failed."""
    gen = (await tab.ask("Why?"))["gen"]
    await pool.wait_for_request(len(pool.requests) or 1)
    async with asyncio.timeout(5):
        while all(request.generation != gen for request in pool.requests):
            await asyncio.sleep(0.005)
    await pool.fail(gen, "internal")
    await tab.until("gen.error")
    return next(one.pk for one in await answers() if str(one.generation) == gen)


async def test_a_failed_answer_is_made_again_in_front_of_its_reader(
    open_tab: OpenTab, pool: FakePool
) -> None:
    tab = await open_tab()
    lost = await failed(tab, pool)
    assert await again([lost, uuid.uuid4()]) == 1
    created = await tab.until("gen.created")
    request = await pool.wait_for_request(2)
    assert request.generation == created["gen"] and request.messages[-1].text == "Why?"
    assert await again([lost]) == 0, "its visitor waits for the other one"
    await pool.start(created["gen"])
    await pool.say(created["gen"], "Because.")
    await pool.finish(created["gen"])
    await tab.until("gen.done")
    old, new = await answers()
    assert (old.pk, old.state, old.is_current) == (lost, "failed", False)
    assert (new.state, new.text, new.is_current) == ("complete", "Because.", True)
    assert await again([lost]) == 0 and await again([new.pk]) == 0


async def test_a_conversation_that_went_on_is_left_alone(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    lost = await failed(tab, pool)
    conversation = str((await answers())[0].conversation_id)
    asked = await tab.ask("And now?", conversation=conversation)
    await tab.until("message.ack")
    await pool.wait_for_request(2)
    await pool.finish(asked["gen"])
    await tab.until("gen.done")
    assert await again([lost]) == 0
    assert len(await answers()) == 2


async def test_nobody_serves_chats_here(
    open_tab: OpenTab, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = await failed(await open_tab(), pool)
    monkeypatch.setattr(second_try, "open_registries", list)
    with pytest.raises(NobodyAnswers):
        await again([lost])
    assert len(await answers()) == 1
