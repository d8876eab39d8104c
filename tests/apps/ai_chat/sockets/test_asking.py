"""Questions and their answers, frame by frame, against a fake pool."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ai_model.prompt import Role
from apps.ai_chat.generations import close_current_registry
from apps.ai_chat.visitor import visitor_of_id
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA, BERT, num_messages, row_of
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.stores]


async def test_question_is_answered_and_stored(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    asked = await tab.ask("  What is\r\na corral?  ")
    ack = await tab.next()
    assert ack["type"] == "message.ack"
    assert (ack["cid"], ack["dup"], ack["gen"]) == (asked["cid"], False, asked["gen"])
    request = await pool.wait_for_request()
    assert request.visitor not in (ANNA, visitor_of_id(ANNA).key)
    assert [message.role for message in request.messages] == [Role.SYSTEM, Role.USER]
    assert request.messages[1].text == "What is\na corral?"
    await pool.start(asked["gen"])
    for piece in ("A fen", "ce \U0001f434", "."):
        await pool.say(asked["gen"], piece)
    await pool.finish(asked["gen"])
    done = await tab.until_end()
    assert tab.shown(asked["gen"]) == "A fence \U0001f434."
    assert done["chars"] == 10
    kinds = [f["type"] for f in tab.frames if f["type"].startswith("gen.")]
    assert kinds == ["gen.created", "gen.started", *["gen.delta"] * 3, "gen.block", "gen.done"]
    assert not any("tokens" in frame for frame in tab.frames), "token ids are the server's business"
    row = await row_of(asked["gen"])
    assert (row.state, row.text, row.reason) == ("complete", "A fence \U0001f434.", "stop")
    assert (row.num_prompt_tokens, row.num_cached_tokens, row.num_completion_tokens) == (10, 4, 10)
    assert (row.queue_ms, row.ttft_ms, row.gen_ms, row.tok_s) == (1, 3, 40, 12.5)
    assert str(row.id) == ack_message(tab) and row.conversation.title == "What is a corral?"
    assert pool.acknowledged == [asked["gen"]]


def ack_message(tab: Tab) -> str:
    created = next(frame for frame in tab.frames if frame["type"] == "gen.created")
    return str(created["message"])


async def test_follow_up_carries_the_conversation(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("One.",)
    tab = await open_tab()
    await tab.ask("First?")
    ack = await tab.next()
    await tab.until_end()
    second = await tab.ask("Second?", conversation=ack["conversation"])
    await tab.until_end()
    texts = [message.text for message in pool.requests[-1].messages[1:]]
    assert texts == ["First?", "One.", "Second?"]
    assert (await row_of(second["gen"])).conversation_id == uuid.UUID(ack["conversation"])


async def test_same_cid_is_stored_once(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Once.",)
    tab = await open_tab()
    asked = await tab.ask("Hello?")
    first = await tab.next()
    await tab.until_end()
    await tab.send(asked)
    again = await tab.until("message.ack")
    assert again["dup"] is True
    assert (again["message"], again["conversation"]) == (first["message"], first["conversation"])
    await tab.until_end()
    assert tab.shown(asked["gen"]) == "Once."
    await tab.send(asked | {"gen": str(uuid.uuid4())})
    assert (await tab.until("message.ack"))["gen"] == asked["gen"]
    assert await num_messages() == 2
    assert len(pool.requests) == 1


async def test_generation_id_of_somebody_else_is_refused(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Mine.",)
    anna, bert = await open_tab(ANNA), await open_tab(BERT)
    asked = await anna.ask("Hello?")
    await anna.until_end()
    await bert.send(asked)
    assert (await bert.next())["code"] == "id_taken"
    assert await num_messages() == 2


async def test_ownership(open_tab: OpenTab, pool: FakePool) -> None:
    """Nothing of another visitor can be read, stopped, continued or answered again."""
    anna, bert = await open_tab(ANNA), await open_tab(BERT)
    asked = await anna.ask("Secret?")
    ack = await anna.next()
    await pool.wait_for_request()
    await pool.say(asked["gen"], "Yes")
    await anna.until("gen.delta")
    for frame in (
        {"type": "gen.stop", "gen": asked["gen"], "seen": 0},
        {"type": "gen.resume", "gen": asked["gen"], "after": 0},
        {"type": "gen.regenerate", "gen": str(uuid.uuid4()), "message": ack["message"]},
        {
            "type": "message.send",
            **{"cid": str(uuid.uuid4()), "gen": str(uuid.uuid4()), "text": "Hi"},
            "conversation": ack["conversation"],
        },
    ):
        await bert.send(frame)
        assert (await bert.next())["code"] == "not_found", frame["type"]
    assert pool.stopped == []
    await pool.finish(asked["gen"])
    await anna.until_end()
    await close_current_registry()
    late = await open_tab(BERT)
    await late.send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    assert (await late.next())["code"] == "not_found", "the stored answer is not theirs either"


async def test_inflight_limit(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    first = await tab.ask("One?")
    ack = await tab.until("message.ack")
    await tab.ask("Again?", conversation=ack["conversation"])
    assert (await tab.until("error"))["code"] == "inflight_limit", "one answer per conversation"
    await tab.ask("Two?")
    await tab.until("message.ack")
    await tab.ask("Three?")
    assert (await tab.until("error"))["code"] == "inflight_limit"
    assert await num_messages() == 4
    await pool.wait_for_request(2)
    await pool.finish(first["gen"])
    await tab.until_end()
    await tab.ask("Three?")
    await tab.until("message.ack")


@pytest.mark.usefixtures("long_minute")
async def test_too_many_in_a_minute(open_tab: OpenTab, pool: FakePool, settings: Any) -> None:
    settings.CORRAL_MESSAGES_PER_MINUTE = 2
    pool.script = ("Yes.",)
    tab = await open_tab()
    first = await tab.ask("One?")
    await tab.until_end()
    await tab.send(
        {"type": "gen.regenerate", "gen": str(uuid.uuid4()), "message": ack_message(tab)}
    )
    await tab.until_end()
    refused = await tab.ask("Three?")
    error = await tab.until("error")
    assert (error["code"], error["ref"]) == ("rate_limited", refused["cid"])
    assert error["retry_after_s"] == 40
    assert await num_messages() == 3
    await tab.send(first)
    assert (await tab.until("message.ack", "error"))["dup"] is True, "it is stored, and no more"
