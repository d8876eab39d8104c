"""Stop, resume, and several tabs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from apps.ai_chat.generations import get_registry
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import ANNA, BERT, row_of
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_stop_keeps_what_was_seen(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "One two three")
    await tab.until("gen.delta")
    await tab.send({"type": "gen.stop", "gen": gen, "seen": 7})
    done = await tab.until_end()
    assert (done["reason"], done["chars"]) == ("user_stop", 7)
    row = await row_of(gen)
    assert (row.state, row.text) == ("stopped", "One two")
    await tab.send({"type": "gen.stop", "gen": gen, "seen": 7})
    await tab.send({"type": "ping", "n": 3})
    assert (await tab.next())["type"] == "pong", "stopping twice is fine"


async def test_stop_right_behind_the_question(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    asked = await tab.ask("Hello?")
    await tab.send({"type": "gen.stop", "gen": asked["gen"], "seen": 0})
    done = await tab.until_end()
    assert done["reason"] == "user_stop"
    assert (await row_of(asked["gen"])).state == "stopped"


async def test_stop_while_the_pool_is_away(open_tab: OpenTab, pool: FakePool) -> None:
    pool.is_down = True
    tab = await open_tab()
    asked = await tab.ask("Hello?")
    await tab.until("gen.progress")
    await tab.send({"type": "gen.stop", "gen": asked["gen"], "seen": 0})
    assert (await tab.until_end())["reason"] == "user_stop"


async def test_resume_after_a_lost_line(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "One ")
    await tab.until("gen.delta")
    await tab.close()
    await pool.say(gen, "two ")
    back = Tab(ANNA)
    await back.open(resume=[{"gen": gen, "after": 2}])
    assert [(live["gen"], live["state"]) for live in back.welcome["live"]] == [(gen, "streaming")]
    back.frames = tab.frames
    await back.until("gen.delta")
    await pool.say(gen, "three")
    await pool.finish(gen)
    await back.until_end()
    assert back.shown(gen) == "One two three"
    await back.close()
    assert (await row_of(gen)).state == "complete", "leaving is not stopping"


async def test_resume_with_a_number_from_the_future_gets_a_snapshot(
    open_tab: OpenTab, pool: FakePool
) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "One ")
    await tab.until("gen.delta")
    await tab.send({"type": "gen.resume", "gen": gen, "after": 99})
    snapshot = await tab.until("gen.snapshot")
    assert (snapshot["text"], snapshot["upto"], snapshot["state"]) == ("One ", 2, "streaming")


async def test_resume_of_a_stored_answer_gets_a_snapshot(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Stored.",)
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await tab.until_end()
    get_registry()._finished.clear()
    await tab.send({"type": "gen.resume", "gen": gen, "after": 1})
    snapshot = await tab.until("gen.snapshot")
    assert (snapshot["text"], snapshot["state"]) == ("Stored.", "complete")


async def test_all_tabs_of_a_visitor_see_the_same(open_tab: OpenTab, pool: FakePool) -> None:
    pool.script = ("Both.",)
    first, second, other = await open_tab(ANNA), await open_tab(ANNA), await open_tab(BERT)
    asked = await first.ask("Hello?")
    await first.until_end()
    await second.until_end()
    assert first.shown(asked["gen"]) == second.shown(asked["gen"]) == "Both."
    question = next(f for f in second.frames if f["type"] == "message.updated")
    assert question["message"]["text"] == "Hello?"
    assert not any(f["type"] == "message.updated" for f in first.frames)
    await other.send({"type": "ping", "n": 1})
    assert (await other.next())["type"] == "pong", "another visitor sees nothing"


async def test_context_notice_is_kept(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.notice(gen, code="context_trimmed", turns=3)
    await pool.say(gen, "Yes.")
    await pool.finish(gen)
    await tab.until_end()
    assert (await row_of(gen)).num_trimmed_turns == 3


@pytest.mark.parametrize(("code", "state"), [("queue_timeout", "failed"), ("internal", "failed")])
async def test_error_of_the_pool(open_tab: OpenTab, pool: FakePool, code: str, state: str) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.fail(gen, code)
    error = await tab.until_end()
    assert error["code"] == code and error["text"] != "-"
    assert (await row_of(gen)).state == state
