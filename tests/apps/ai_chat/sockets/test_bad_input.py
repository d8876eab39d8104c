"""Bad input gets a typed error, and the socket stays usable."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable

import pytest

from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.rows import num_messages, row_of
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


GOOD = {"cid": str(uuid.uuid4()), "gen": str(uuid.uuid4()), "text": "Hi"}


@pytest.mark.parametrize(
    ("frame", "code", "ref"),
    [
        ("{", "bad_frame", None),
        ("", "bad_frame", None),
        ("[" * 9000, "bad_frame", None),
        ("[]", "bad_frame", None),
        ('"hello"', "bad_frame", None),
        ('{"type": "ping", "n": NaN}', "bad_frame", None),
        ("9" * 6000, "bad_frame", None),
        (json.dumps({"type": "ping", "pad": "x" * 17_000}), "bad_frame", None),
        (
            json.dumps({"type": "ping", "pad": "\u20ac" * 6000}, ensure_ascii=False),
            "bad_frame",
            None,
        ),
        ({}, "unknown_type", None),
        ({"type": 7}, "unknown_type", None),
        ({"type": "no.such"}, "unknown_type", "no.such"),
        ({"type": "x" * 500}, "unknown_type", "x" * 64),
        ({"type": "ping", "n": -1}, "bad_frame", "ping"),
        ({"type": "ping", "n": True}, "bad_frame", "ping"),
        ({"type": "ping", "n": 1.5}, "bad_frame", "ping"),
        ({"type": "message.send"}, "bad_frame", "message.send"),
        ({"type": "message.send", **GOOD, "cid": "7"}, "bad_frame", "7"),
        ({"type": "message.send", **GOOD, "gen": None}, "bad_frame", GOOD["cid"]),
        ({"type": "message.send", **GOOD, "gen": ["x"]}, "bad_frame", GOOD["cid"]),
        ({"type": "message.send", **GOOD, "text": 7}, "bad_frame", GOOD["cid"]),
        ({"type": "message.send", **GOOD, "text": "\ud800"}, "bad_frame", GOOD["cid"]),
        ({"type": "message.send", **GOOD, "conversation": "mine"}, "bad_frame", GOOD["cid"]),
        ({"type": "message.send", **GOOD, "text": ""}, "empty", GOOD["cid"]),
        ({"type": "message.send", **GOOD, "text": " \n\t\x00 "}, "empty", GOOD["cid"]),
        ({"type": "message.send", **GOOD, "text": "x" * 4001}, "too_long", GOOD["cid"]),
        (
            {"type": "message.send", **GOOD, "conversation": str(uuid.uuid4())},
            "not_found",
            GOOD["cid"],
        ),
        ({"type": "gen.stop", "gen": GOOD["gen"], "seen": -1}, "bad_frame", GOOD["gen"]),
        ({"type": "gen.stop", "gen": GOOD["gen"], "seen": 0}, "not_found", GOOD["gen"]),
        ({"type": "gen.resume", "gen": GOOD["gen"], "after": 0}, "not_found", GOOD["gen"]),
        (
            {"type": "gen.regenerate", "gen": GOOD["gen"], "message": GOOD["cid"]},
            "not_found",
            GOOD["gen"],
        ),
        ({"type": "hello", "v": 1, "resume": [{}]}, "bad_frame", "hello"),
        ({"type": "hello", "v": 1, "resume": [7] * 100}, "bad_frame", "hello"),
    ],
)
async def test_bad_input_gets_a_typed_error(
    open_tab: OpenTab, frame: dict[str, object] | str, code: str, ref: str | None
) -> None:
    tab = await open_tab()
    if frame == "":
        await tab.socket.send_to(bytes_data=b"\x00\xff")
    else:
        await tab.send(frame)
    error = await tab.next()
    assert (error["type"], error["code"], error["ref"]) == ("error", code, ref)
    assert error["text"]
    await tab.send({"type": "ping", "n": 1})
    assert (await tab.next())["type"] == "pong"
    assert await num_messages() == 0


async def test_zero_bytes_are_left_out(open_tab: OpenTab, pool: FakePool) -> None:
    """SQLite would keep them and PostgreSQL refuse them, in texts and in what a page tells."""
    pool.script = ("Yes.",)
    tab = await open_tab()
    asked = await tab.ask("a\x00b", context={"pa\x00ge": "x\x00y"})
    assert (await tab.until_end())["type"] == "gen.done"
    question = (await row_of(asked["gen"])).question
    assert (question.text, dict(question.context)) == ("ab", {"page": "xy"})


async def test_a_site_that_cannot_be_looked_up(open_tab: OpenTab) -> None:
    tab = await open_tab(hello=False, origin=b"https://shop.example")
    await tab.send({"type": "hello", "v": 1, "site": "\x00"})
    assert (await tab.next())["type"] == "error"


async def test_ten_malformed_frames_a_minute_are_too_many(open_tab: OpenTab) -> None:
    tab = await open_tab()
    for _ in range(10):
        await tab.send("{")
        assert (await tab.next())["code"] == "bad_frame"
    await tab.send({"type": "ping", "n": 1})
    assert (await tab.next())["type"] == "pong"
    await tab.send("{")
    assert await tab.until_closed() == 4400


async def test_too_long_names_the_excess(open_tab: OpenTab, settings: object) -> None:
    settings.CORRAL_MAX_CHARS = 10  # type: ignore[attr-defined]
    tab = await open_tab()
    await tab.ask("  " + "\U0001f600" * 13 + "  ")
    assert (await tab.next())["text"] == "That's 3 characters over the limit."
