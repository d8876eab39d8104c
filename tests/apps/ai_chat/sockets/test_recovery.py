"""Commands, recovery after a dead process, sign-out, shutdown."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client

from apps.ai_chat import progress_keeper, services
from apps.ai_chat.generations import close_current_registry, get_registry
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services import progress
from apps.ai_chat.visitor import Visitor
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA, num_messages, row_of, wait_for_state
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_pool_command_is_answered_without_the_model(
    open_tab: OpenTab, pool: FakePool
) -> None:
    pool.script = ("Model.",)
    tab = await open_tab()
    asked = await tab.ask("/pool")
    ack = await tab.next()
    await tab.until_end()
    expected = "Pool Status:\n   Available: 3/4\n   In Use: 1\n   Waiting: 0"
    assert tab.shown(asked["gen"]) == expected
    assert (await row_of(asked["gen"])).text == expected
    assert pool.requests == []
    await tab.ask("/pools?", conversation=ack["conversation"])
    await tab.until_end()
    assert [m.text for m in pool.requests[0].messages[1:]] == ["/pools?"]


async def test_pool_command_can_be_switched_off(
    open_tab: OpenTab, pool: FakePool, settings: object
) -> None:
    settings.CORRAL_POOL_PUBLIC = False  # type: ignore[attr-defined]
    tab = await open_tab()
    asked = await tab.ask("/pool")
    await tab.until_end()
    assert "Available" not in tab.shown(asked["gen"])


async def test_partial_text_is_stored_while_the_answer_is_written(
    open_tab: OpenTab, pool: FakePool
) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "So far")
    async with asyncio.timeout(5):
        while (await row_of(gen)).text != "So far":
            await asyncio.sleep(0.05)
    assert (await row_of(gen)).state == "streaming"


async def test_answer_of_a_dead_web_process_is_taken_from_the_pool(
    open_tab: OpenTab, pool: FakePool
) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "One ")
    await tab.until("gen.delta")
    await close_current_registry()
    assert (await row_of(gen)).text == "One ", "what there is was kept at the end"
    await pool.say(gen, "two.")
    back = await open_tab(ANNA)
    await back.send({"type": "gen.resume", "gen": gen, "after": 2})
    await back.until("gen.snapshot")
    await pool.finish(gen)
    await back.until_end()
    assert back.shown(gen) == "One two."
    assert (await row_of(gen)).text == "One two."
    assert len(pool.requests) == 1, "it is followed, not asked again"


async def test_answer_nobody_knows_ends_as_interrupted(
    open_tab: OpenTab, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "Half")
    await tab.until("gen.delta")
    await close_current_registry()
    await pool.die()

    def forget() -> None:
        Message.objects.filter(generation=gen).update(beat=None)

    await database_sync_to_async(forget)()
    await open_tab(ANNA)
    row = await wait_for_state(gen, "interrupted")
    assert (row.text, row.error_code) == ("Half", "interrupted")


async def test_an_answer_about_to_be_submitted_is_not_followed(
    open_tab: OpenTab, pool: FakePool
) -> None:
    """Between storing a question and submitting it, the look for left-behind answers may come."""
    tab = await open_tab()
    first = await tab.ask("Hello?")
    await pool.wait_for_request()
    visitor = Visitor(key=(await row_of(first["gen"])).conversation.visitor)
    generation = uuid.uuid4()
    await pool.finish(first["gen"])
    await tab.until_end()
    sent = await database_sync_to_async(services.send_message)(
        visitor=visitor, cid=uuid.uuid4(), generation=generation, text="And now?"
    )
    registry = get_registry()
    assert await registry.recover() == 0
    registry.start(visitor=visitor, sent=sent)
    assert (await pool.wait_for_request(2)).generation == str(generation)


async def test_following_an_unknown_answer_is_no_sign_of_life(
    open_tab: OpenTab, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "Half")
    await tab.until("gen.delta")
    await close_current_registry()
    await pool.die()
    short = timedelta(seconds=1)
    monkeypatch.setattr(progress, "STALE_AFTER", short)
    monkeypatch.setattr(services, "STALE_AFTER", short)
    monkeypatch.setattr(progress_keeper, "FLUSH_S", 0.05)
    monkeypatch.setattr(progress_keeper, "BEAT_S", 0.05)
    back = await open_tab(ANNA)
    await back.send({"type": "gen.resume", "gen": gen, "after": 0})
    assert (await wait_for_state(gen, "interrupted")).text == "Half"


async def test_signed_in_visitor_and_sign_out(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Hello.",)

    def sign_in() -> Client:
        client = Client()
        client.force_login(get_user_model().objects.create_user("anna"))
        return client

    client = await database_sync_to_async(sign_in)()
    session = client.cookies["sessionid"].value
    tab = await open_tab(None, cookie=f"sessionid={session}")
    asked = await tab.ask("Hi")
    await tab.until_end()
    row = await row_of(asked["gen"])
    assert row.conversation.user_id is not None
    await database_sync_to_async(client.logout)()
    await tab.ask("Still here?")
    assert (await tab.until("error"))["code"] == "unauthorised"
    assert await tab.until_closed() == 4401


async def test_shutdown_says_goodbye(open_tab: OpenTab) -> None:
    tab = await open_tab()
    await close_current_registry()
    bye = await tab.until("bye")
    assert (bye["code"], bye["retry_after_s"]) == (4503, 1)
    assert await tab.until_closed() == 4503


async def test_deleted_conversation_ends_quietly(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await database_sync_to_async(lambda: Conversation.objects.all().delete())()
    await pool.say(gen, "Too late")
    await pool.finish(gen)
    await tab.until_end()
    assert await num_messages() == 0


async def test_two_sends_at_once_store_one_question(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("One.",)
    first, second = await open_tab(ANNA), await open_tab(ANNA)
    frame = {
        "type": "message.send",
        "text": "Hi",
        "cid": str(uuid.uuid4()),
        "gen": str(uuid.uuid4()),
    }
    await asyncio.gather(first.send(frame), second.send(frame))
    acks = await asyncio.gather(first.until("message.ack"), second.until("message.ack"))
    assert sorted(ack["dup"] for ack in acks) == [False, True]
    assert await num_messages() == 2
