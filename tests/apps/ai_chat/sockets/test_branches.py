"""Editing, branches, other answers, more of an answer, thumbs, and what was read."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA, BERT, num_messages, row_of
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def new_id() -> str:
    return str(uuid.uuid4())


async def asked_and_answered(tab: Tab, text: str, **fields: Any) -> dict[str, Any]:
    """Ask and read to the end; returns the ack."""
    await tab.ask(text, **fields)
    ack = await tab.until("message.ack")
    await tab.until_settled()
    return ack


async def test_edit_begins_a_branch_in_every_tab(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Yes.",)
    tab, other = await open_tab(ANNA), await open_tab(ANNA)
    first = await asked_and_answered(tab, "One?")
    await other.until_end()
    edit = {"type": "message.edit", "cid": new_id(), "gen": new_id()}
    await tab.send({**edit, "message": first["message"], "text": "Uno?"})
    ack = await tab.until("message.ack")
    assert (ack["conversation"], ack["dup"]) == (first["conversation"], False)
    assert ack["message"] != first["message"]
    moved = await other.until("conversation.updated")
    assert moved["changed"] == "messages"
    question = (await other.until("message.updated"))["message"]
    assert question["versions"] == {"index": 1, "ids": [first["message"], ack["message"]]}
    await tab.until_end()
    assert [m.text for m in pool.requests[-1].messages[1:]] == ["Uno?"]
    await tab.send({"type": "branch.select", "message": first["message"]})
    assert (await tab.until("conversation.updated"))["changed"] == "messages"
    await tab.send({**edit, "message": first["message"], "text": "Uno?"})
    assert (await tab.until("message.ack"))["dup"] is True


async def test_new_question_changes_no_messages(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Yes.",)
    tab = await open_tab()
    await tab.ask("One?")
    assert "changed" not in await tab.until("conversation.updated")


async def test_regenerate_an_earlier_question(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Yes.",)
    tab = await open_tab()
    first = await asked_and_answered(tab, "One?")
    await asked_and_answered(tab, "Two?", conversation=first["conversation"])
    again = {"type": "gen.regenerate", "gen": new_id(), "message": first["message"]}
    await tab.send(again)
    assert (await tab.until("conversation.updated"))["changed"] == "messages"
    await tab.until_end()
    assert [m.text for m in pool.requests[-1].messages[1:]] == ["One?"]
    await tab.send(again)
    await tab.until_end()
    assert len(pool.requests) == 3, "sending it again asks nobody again"


async def test_continue_goes_on_behind_the_text(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = (await tab.ask("One?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "Half ")
    await pool.finish(gen, reason="length")
    await tab.until_end()
    row = await row_of(gen)
    more = new_id()
    await tab.send({"type": "gen.continue", "gen": more, "message": str(row.id)})
    created = await tab.until("gen.created")
    assert (created["continues"], created["message"]) == (True, str(row.id))
    request = await pool.wait_for_request(2)
    assert request.produced_text == "Half "
    await pool.say(more, "and whole.")
    await pool.finish(more)
    await tab.until_end()
    assert tab.shown(more) == "Half and whole."
    after = await row_of(more)
    assert (after.id, after.text, after.state) == (row.id, "Half and whole.", "complete")
    assert await num_messages() == 2
    await tab.send({"type": "gen.continue", "gen": new_id(), "message": str(row.id)})
    assert (await tab.until("error"))["code"] == "not_editable"


async def test_feedback_and_read_in_every_tab(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Yes.",)
    tab, other = await open_tab(ANNA), await open_tab(ANNA)
    first = await asked_and_answered(tab, "One?")
    await other.until_end()
    answer = next(f for f in tab.frames if f["type"] == "gen.created")["message"]
    thumb = {"type": "feedback", "message": answer, "value": -1, "reason": "wrong"}
    await tab.send({**thumb, "comment": "No."})
    for one in (tab, other):
        updated = await one.until("message.updated")
        while updated["message"]["role"] == "user":
            updated = await one.until("message.updated")
        assert updated["message"]["feedback"] == {
            "value": -1,
            "reason": "wrong",
            "comment": "No.",
        }
    read = {"type": "read", "conversation": first["conversation"], "message": answer}
    await tab.send(read)
    for one in (tab, other):
        assert (await one.until("conversation.updated"))["conversation"]["num_unread"] == 0
    await tab.send(read)
    await tab.send({"type": "ping", "n": 1})
    assert (await tab.next())["type"] == "pong", "what is known is told nobody"


async def test_nothing_of_others_can_be_changed(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Yes.",)
    anna, bert = await open_tab(ANNA), await open_tab(BERT)
    first = await asked_and_answered(anna, "Secret?")
    answer = next(f for f in anna.frames if f["type"] == "gen.created")["message"]
    message, conversation = first["message"], first["conversation"]
    for frame in (
        {"type": "message.edit", "cid": new_id(), "gen": new_id(), "message": message, "text": "x"},
        {"type": "branch.select", "message": message},
        {"type": "gen.regenerate", "gen": new_id(), "message": message},
        {"type": "gen.continue", "gen": new_id(), "message": answer},
        {"type": "feedback", "message": answer, "value": 1},
        {"type": "read", "conversation": conversation, "message": answer},
        {"type": "warm", "conversation": conversation},
    ):
        await bert.send(frame)
        assert (await bert.next())["code"] == "not_found", frame["type"]
    assert await num_messages() == 2 and len(pool.requests) == 1
