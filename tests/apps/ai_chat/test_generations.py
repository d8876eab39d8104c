"""Answers as the tabs of a visitor see them: blocks, notices, continuing, approved answers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async

from ai_model.pool.errors import QueueFull
from apps.ai_chat import relay as relays
from apps.ai_chat import token_clock
from apps.ai_chat.generations import close_current_registry, get_registry
from apps.ai_chat.markdown import blocks_of
from apps.ai_chat.models import Message
from apps.ai_chat.session import MAX_REPLAYED
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.tab import Tab
from tests.apps.ai_chat.test_approved_answers import HOURS, approve

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@database_sync_to_async
def row_of(generation: str) -> Message:
    return Message.objects.select_related("question").get(generation=generation)


def of_type(tab: Tab, kind: str) -> list[dict[str, Any]]:
    return [frame for frame in tab.frames if frame["type"] == kind]


def shown_blocks(frames: list[dict[str, Any]], generation: str) -> list[dict[str, Any]]:
    """The blocks a browser has after these frames."""
    shown: list[dict[str, Any]] = []
    for frame in frames:
        if frame.get("gen") != generation:
            continue
        if frame["type"] == "gen.snapshot":
            shown = list(frame["blocks"])
        elif frame["type"] == "gen.block":
            shown = [block for block in shown if block["from_off"] < frame["from_off"]]
            shown.append({key: frame[key] for key in ("from_off", "to_off", "nodes")})
    return [block for block in shown if block["to_off"] > block["from_off"]]


def expected_blocks(text: str) -> list[dict[str, Any]]:
    return [block.as_json() for block in blocks_of(text)]


async def ask(tab: Tab, pool: FakePool, text: str = "Hello?") -> str:
    """Ask and wait for the pool to have the question; returns the generation."""
    num = len(pool.requests)
    generation: str = (await tab.ask(text))["gen"]
    await pool.wait_for_request(num + 1)
    return generation


# Blocks


async def test_blocks_come_while_the_answer_is_written(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.start(gen)
    for piece in ("# Ti", "tle\n\nA *pa", "ra*.", "\n\n- one\n- t", "wo"):
        await pool.say(gen, piece)
    second = [await tab.until("gen.block") for _ in range(2)][1]
    assert (second["from_off"], second["to_off"]) == (8, 19)
    assert second["nodes"] == [["p", "A ", ["em", "para"], "."]]
    await pool.finish(gen)
    await tab.until_end()
    text = "# Title\n\nA *para*.\n\n- one\n- two"
    assert tab.shown(gen) == text
    assert shown_blocks(tab.frames, gen) == expected_blocks(text)
    assert [f["type"] for f in tab.frames[-2:]] == ["gen.block", "gen.done"]
    assert tab.frames[-2]["nodes"] == [["ul", ["li", "one"], ["li", "two"]]]


async def test_stop_cuts_a_block(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.start(gen)
    await pool.say(gen, "First **bold**\n\nSecond one.\n\nThird")
    await tab.until("gen.block")
    await tab.until("gen.block")
    await tab.send({"type": "gen.stop", "gen": gen, "seen": 22})
    done = await tab.until_end()
    assert done["chars"] == 22
    assert shown_blocks(tab.frames, gen) == expected_blocks("First **bold**\n\nSecond")
    assert tab.frames[-2]["nodes"] == [["p", "Second"]]


async def test_stop_before_a_block_takes_it_away(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.say(gen, "One.\n\nTwo.\n\n")
    await tab.until("gen.block")
    await tab.until("gen.block")
    await tab.send({"type": "gen.stop", "gen": gen, "seen": 5})
    await tab.until_end()
    assert shown_blocks(tab.frames, gen) == expected_blocks("One.\n")
    assert (await row_of(gen)).text == "One.\n"


async def test_an_error_keeps_the_blocks_of_the_text(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.say(gen, "Half an *ans*")
    await pool.fail(gen, "deadline")
    assert (await tab.until_end())["type"] == "gen.error"
    assert shown_blocks(tab.frames, gen) == expected_blocks("Half an *ans*")


async def test_snapshots_hold_blocks(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.say(gen, "One.\n\nTwo")
    await tab.until("gen.block")
    await tab.send({"type": "gen.resume", "gen": gen, "after": 9999})
    snapshot = await tab.until("gen.snapshot")
    assert (snapshot["state"], snapshot["text"]) == ("streaming", "One.\n\nTwo")
    assert snapshot["blocks"] == [{"from_off": 0, "to_off": 5, "nodes": [["p", "One."]]}]
    assert snapshot["upto"] == max(frame.get("seq", 0) for frame in tab.frames)
    await pool.finish(gen)
    await tab.until_end()
    get_registry()._finished.clear()
    await tab.send({"type": "gen.resume", "gen": gen, "after": 0})
    stored = await tab.until("gen.snapshot")
    assert stored["blocks"] == expected_blocks("One.\n\nTwo")


async def test_who_missed_much_gets_a_snapshot(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await ask(tab, pool)
    text = "".join(f"{n} " for n in range(MAX_REPLAYED + 10))
    for piece in text.split(" ")[:-1]:
        await pool.say(gen, piece + " ")
    await pool.finish(gen)
    done = await tab.until_end()
    late = await open_tab()
    await late.send({"type": "gen.resume", "gen": gen, "after": 0})
    snapshot = await late.until("gen.snapshot")
    assert (snapshot["state"], snapshot["text"], snapshot["reason"]) == ("complete", text, "stop")
    assert (snapshot["chars"], snapshot["sha256_8"]) == (done["chars"], done["sha256_8"])
    await late.send({"type": "gen.resume", "gen": gen, "after": done["seq"] - 2})
    assert (await late.until_end())["seq"] == done["seq"], "a little is replayed"


async def test_nothing_is_shorter_after_a_restart(open_tab: OpenTab, pool: FakePool) -> None:
    """The web process dies with the text of a second ago stored; the pool lives on."""
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.say(gen, "One.\n\nTwo *b*.\n\nThr")
    await tab.until("gen.block")
    await tab.until("gen.block")
    before = shown_blocks(tab.frames, gen)
    await tab.close()
    await close_current_registry()
    back = await open_tab()
    await back.send({"type": "gen.resume", "gen": gen, "after": 4})
    snapshot = await back.until("gen.snapshot")
    assert snapshot["text"] == "One.\n\nTwo *b*.\n\nThr"
    assert shown_blocks(back.frames, gen) == before
    await pool.say(gen, "ee.")
    await pool.finish(gen)
    await back.until_end()
    assert shown_blocks(back.frames, gen) == expected_blocks("One.\n\nTwo *b*.\n\nThree.")


# Notices


async def test_a_pool_that_dies_is_told(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.start(gen)
    await pool.say(gen, "One ")
    await tab.until("gen.delta")
    for num in (2, 3):
        await pool.die()
        await pool.wait_for_request(num)
        await pool.say(gen, "more ")
        await tab.until("gen.delta")
    await pool.finish(gen)
    await tab.until_end()
    assert tab.shown(gen) == "One more more "
    assert [notice["code"] for notice in of_type(tab, "gen.notice")] == ["retried"]


async def test_reduced_quality_is_told_and_stored(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.start(gen, quality="reduced")
    await pool.say(gen, "One")
    await pool.finish(gen)
    await tab.until_end()
    notice = of_type(tab, "gen.notice")[0]
    assert (notice["code"], notice["what"]) == ("reduced", "context")
    assert (await row_of(gen)).quality == "reduced"
    other = await ask(tab, pool)
    await pool.start(other, quality="full")
    await pool.finish(other)
    await tab.until_end()
    assert (await row_of(other)).quality == "full"
    assert len(of_type(tab, "gen.notice")) == 1


async def test_a_stall_is_told(
    open_tab: OpenTab, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "LOOK_S", 0.01)
    monkeypatch.setattr(relays, "STALL_AGAIN_S", 0.02)
    monkeypatch.setattr(token_clock, "MIN_STALL_S", 0.05)
    monkeypatch.setattr(token_clock, "SLOW_STALL_S", 0.1)
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.start(gen)
    await pool.say(gen, "One")
    stalls = [await tab.until("gen.stall") for _ in range(2)]
    assert 50 <= stalls[0]["since_ms"] < stalls[1]["since_ms"]
    assert "seq" not in stalls[0]
    assert (await tab.until("gen.notice"))["code"] == "slow"
    await pool.finish(gen)
    await tab.until_end()
    assert len(of_type(tab, "gen.notice")) == 1, "once is enough"


# Continuing


async def go_on(tab: Tab, gen: str) -> str:
    """Continue an answer; returns the new generation."""
    new = str(uuid.uuid4())
    message = str((await row_of(gen)).id)
    await tab.send({"type": "gen.continue", "gen": new, "message": message})
    return new


async def stopped_answer(tab: Tab, pool: FakePool, text: str) -> str:
    gen = await ask(tab, pool)
    await pool.start(gen)
    await pool.say(gen, text)
    await tab.until("gen.delta")
    await tab.send({"type": "gen.stop", "gen": gen, "seen": len(text)})
    await tab.until_end()
    return gen


async def test_continue(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    old = await stopped_answer(tab, pool, "One.\n\nTwo")
    tab.frames.clear()
    gen = await go_on(tab, old)
    request = await pool.wait_for_request(2)
    assert (request.produced, request.produced_text) == ((), "One.\n\nTwo")
    await pool.start(gen)
    await pool.say(gen, " and *three*.")
    await pool.finish(gen)
    await tab.until_end()
    frames = [frame for frame in tab.frames if frame.get("gen") == gen]
    assert [f["type"] for f in frames[:3]] == ["gen.created", "gen.delta", "gen.block"]
    assert frames[0]["continues"] is True
    assert (frames[1]["off"], frames[1]["text"]) == (0, "One.\n\nTwo")
    text = "One.\n\nTwo and *three*."
    assert tab.shown(gen) == text
    assert shown_blocks(tab.frames, gen) == expected_blocks(text)
    row = await row_of(gen)
    assert (row.text, row.state) == (text, "complete")


async def test_continue_when_the_pool_refuses(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    old = await stopped_answer(tab, pool, "One")
    pool.refusals.append(QueueFull("full"))
    gen = await go_on(tab, old)
    error = await tab.until_end()
    assert (error["code"], error["partial"]) == ("queue_full", True)
    row = await row_of(gen)
    assert (row.text, row.state) == ("One", "interrupted")


@pytest.mark.parametrize("has_begun", [False, True])
async def test_continue_and_the_pool_dies(
    open_tab: OpenTab, pool: FakePool, has_begun: bool
) -> None:
    tab = await open_tab()
    gen = await go_on(tab, await stopped_answer(tab, pool, "One"))
    await pool.wait_for_request(2)
    if has_begun:
        await pool.say(gen, " two")
        await tab.until("gen.delta")
        await tab.until("gen.delta")
    await pool.die()
    request = await pool.wait_for_request(3)
    known = "One two" if has_begun else "One"
    assert request.produced_text == known
    assert request.num_given_chars == 3, "the limit of tokens counts only what is new"
    await pool.say(gen, " end")
    await pool.finish(gen)
    await tab.until_end()
    assert tab.shown(gen) == known + " end"


async def test_continue_and_the_web_process_dies(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = await go_on(tab, await stopped_answer(tab, pool, "One"))
    await pool.wait_for_request(2)
    await pool.say(gen, " two")
    async with asyncio.timeout(5):
        while not any(frame.get("text") == " two" for frame in tab.frames):
            await tab.next()
    await tab.close()
    await close_current_registry()
    back = await open_tab()
    await back.send({"type": "gen.resume", "gen": gen, "after": 0})
    await back.until("gen.delta", "gen.snapshot")
    await pool.say(gen, " three")
    await pool.finish(gen)
    await back.until_end()
    assert back.shown(gen) == "One two three"


# Approved answers

approve_async = database_sync_to_async(approve)


async def test_an_approved_answer_needs_no_pool(open_tab: OpenTab, pool: FakePool) -> None:
    answer = await approve_async(HOURS, text="Nine to *five*.")
    pool.is_down = True
    tab = await open_tab()
    gen = (await tab.ask("what are your opening hours"))["gen"]
    done = await tab.until_end()
    assert (done["type"], done["reason"], done["chars"]) == ("gen.done", "stop", 15)
    kinds = [frame["type"] for frame in tab.frames if frame.get("gen") == gen and "seq" in frame]
    assert kinds == ["gen.created", "gen.notice", "gen.delta", "gen.block", "gen.done"]
    assert of_type(tab, "gen.notice")[0]["code"] == "approved"
    assert tab.shown(gen) == "Nine to *five*."
    row = await row_of(gen)
    assert (row.text, row.state, row.approved_answer_id) == (
        "Nine to *five*.",
        "complete",
        answer.pk,
    )
    assert not pool.requests
    get_registry()._finished.clear()
    await tab.send({"type": "gen.resume", "gen": gen, "after": 0})
    stored = await tab.until("gen.snapshot")
    assert [notice["code"] for notice in stored["notices"]] == ["approved"]


async def test_similar_questions_are_offered(open_tab: OpenTab, pool: FakePool) -> None:
    await approve_async(HOURS)
    tab = await open_tab()
    gen = await ask(tab, pool, "What are your opening hours on Sunday?")
    await pool.say(gen, "I do not know.")
    await pool.finish(gen)
    await tab.until_end()
    notice = of_type(tab, "gen.notice")[0]
    assert (notice["code"], notice["items"]) == ("did_you_mean", [HOURS])
    assert tab.shown(gen) == "I do not know.", "the model answers all the same"
    assert (await row_of(gen)).suggestions == [HOURS]


async def test_similar_questions_are_there_when_the_pool_refuses(
    open_tab: OpenTab, pool: FakePool
) -> None:
    await approve_async(HOURS)
    tab = await open_tab()
    pool.refusals.append(QueueFull("full"))
    gen = (await tab.ask("What are your opening hours on Sunday?"))["gen"]
    error = await tab.until_end()
    assert error["code"] == "queue_full"
    assert of_type(tab, "gen.notice")[0]["items"] == [HOURS]
    assert (await row_of(gen)).suggestions == [HOURS]


async def test_a_broken_look_up_costs_nothing(
    open_tab: OpenTab, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise OSError("no disk")

    monkeypatch.setattr("apps.ai_chat.approved_answers.find_answer", fail)
    tab = await open_tab()
    gen = await ask(tab, pool)
    await pool.say(gen, "Hello.")
    await pool.finish(gen)
    assert (await tab.until_end())["reason"] == "stop"
