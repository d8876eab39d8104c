"""Pools that refuse, come late, die or stay away."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable

import pytest

from ai_model.pool.errors import InflightLimit, NoModel, Paused, QueueFull
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import row_of
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("refusal", "code", "retryable"),
    [
        (NoModel("no file"), "no_model", False),
        (QueueFull(retry_after_s=7), "queue_full", True),
        (InflightLimit(), "inflight_limit", True),
        (Paused("Back at noon."), "paused", True),
    ],
)
async def test_refusal_of_the_pool_keeps_the_question(
    open_tab: OpenTab, pool: FakePool, refusal: Exception, code: str, retryable: bool
) -> None:
    pool.refusals.append(refusal)  # type: ignore[arg-type]
    tab = await open_tab()
    asked = await tab.ask("Hello?")
    error = await tab.until_end()
    assert (error["code"], error["retryable"], error["partial"]) == (code, retryable, False)
    assert error.get("retry_after_s") == (7 if code == "queue_full" else None)
    assert code != "paused" or error["text"] == "Back at noon."
    assert "no file" not in json.dumps(tab.frames), "the operator's sentence stays with them"
    row = await row_of(asked["gen"])
    assert (row.state, row.error_code) == ("failed", code)
    answer = str(uuid.uuid4())
    pool.script = ("Now.",)
    await tab.send({"type": "gen.regenerate", "gen": answer, "message": str(row.id)})
    await tab.until_end()
    assert tab.shown(answer) == "Now."
    assert pool.requests[-1].messages[-1].text == "Hello?"


async def test_answer_goes_on_when_the_pool_comes_late(open_tab: OpenTab, pool: FakePool) -> None:
    pool.is_down = True
    pool.script = ("Here.",)
    tab = await open_tab()
    asked = await tab.ask("Hello?")
    await tab.until("gen.progress")
    pool.is_down = False
    await tab.until_end()
    assert tab.shown(asked["gen"]) == "Here."


async def test_pool_that_stays_away(open_tab: OpenTab, pool: FakePool, settings: object) -> None:
    settings.CORRAL_TIMEOUT_MS = 150  # type: ignore[attr-defined]
    pool.is_down = True
    tab = await open_tab()
    asked = await tab.ask("Hello?")
    error = await tab.until_end()
    assert (error["code"], error["retryable"]) == ("pool_lost", True)
    assert (await row_of(asked["gen"])).state == "failed"


@pytest.mark.parametrize("repeats_produced", [True, False])
async def test_answer_survives_the_death_of_the_pool(
    open_tab: OpenTab, pool: FakePool, repeats_produced: bool
) -> None:
    pool.repeats_produced = repeats_produced
    tab = await open_tab()
    asked = await tab.ask("Hello?")
    gen = asked["gen"]
    await pool.wait_for_request()
    await pool.start(gen)
    await pool.say(gen, "One two ")
    await tab.until("gen.delta")
    for number, piece in ((2, "three "), (3, "four.")):
        await pool.die()
        request = await pool.wait_for_request(number)
        assert "".join(map(chr, request.produced)) == request.produced_text == tab.shown(gen)
        await pool.start(gen)
        if repeats_produced:
            await pool.say(gen, piece)
        else:
            await say_behind(pool, gen, request.produced_text, piece)
        await tab.until("gen.delta")
    await pool.finish_with(gen, "One two three four.")
    await tab.until_end()
    assert tab.shown(gen) == "One two three four."
    assert (await row_of(gen)).text == "One two three four."
    assert [f["type"] for f in tab.frames].count("gen.started") == 1


async def say_behind(pool: FakePool, gen: str, produced: str, text: str) -> None:
    """A pool whose new log starts directly behind what was produced earlier."""
    await pool._append(
        gen, "gen.delta", off=len(produced), text=text, tokens=[ord(char) for char in text]
    )


async def test_answer_survives_an_orderly_restart_of_the_pool(
    open_tab: OpenTab, pool: FakePool
) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "One ")
    await tab.until("gen.delta")
    await pool.finish(gen, reason="shutdown")
    await pool.die()
    await pool.wait_for_request(2)
    await pool.say(gen, "two.")
    await pool.finish(gen)
    assert (await tab.until_end())["reason"] == "stop"
    assert tab.shown(gen) == "One two."


async def test_third_death_ends_the_answer_and_keeps_its_text(
    open_tab: OpenTab, pool: FakePool
) -> None:
    tab = await open_tab()
    gen = (await tab.ask("Hello?"))["gen"]
    await pool.wait_for_request()
    await pool.say(gen, "Partly")
    await tab.until("gen.delta")
    for number in (2, 3):
        await pool.die()
        await pool.wait_for_request(number)
        # The relay must be following again, or the next death would go unseen.
        await pool.read(gen)
        await tab.until("gen.progress")
        await asyncio.sleep(0.05)
    await pool.die()
    error = await tab.until_end()
    assert (error["code"], error["partial"], error["retryable"]) == ("pool_lost", True, True)
    row = await row_of(gen)
    assert (row.state, row.text, row.error_code) == ("interrupted", "Partly", "pool_lost")
