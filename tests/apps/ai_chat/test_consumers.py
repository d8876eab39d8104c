"""The chat socket, frame by frame, against a fake pool."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client

from ai_model.pool.errors import InflightLimit, NoModel, Paused, QueueFull
from ai_model.prompt import Role
from apps.ai_chat import consumers
from apps.ai_chat.generations import close_current_registry, get_registry
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.visitor import visitor_of_id
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

ANNA, BERT = "a" * 32, "b" * 32


@database_sync_to_async
def row_of(generation: str) -> Message:
    return Message.objects.select_related("conversation").get(generation=generation)


@database_sync_to_async
def num_messages() -> int:
    return Message.objects.count()


async def wait_for_state(generation: str, *states: str, timeout_s: float = 5) -> Message:
    async with asyncio.timeout(timeout_s):
        while (row := await row_of(generation)).state not in states:
            await asyncio.sleep(0.01)
    return row


# Opening


async def test_welcome_says_limits_model_and_pool(open_tab: OpenTab) -> None:
    tab = await open_tab()
    welcome = tab.welcome
    assert welcome["v"] == 1
    assert welcome["limits"]["max_chars"] == 4000
    assert welcome["model"] == {"label": "Fake", "ctx": 2048, "demo": False}
    assert welcome["pool"] == {"state": "ok", "text": ""}
    assert "token" not in welcome, "a browser with a cookie needs no token its scripts can read"


async def test_welcome_without_a_pool_says_so(open_tab: OpenTab, pool: FakePool) -> None:
    pool.is_down = True
    tab = await open_tab()
    assert tab.welcome["pool"]["state"] == "down"
    assert tab.welcome["model"] is None


async def test_client_without_cookie_gets_a_token_that_brings_it_back(
    open_tab: OpenTab, pool: FakePool
) -> None:
    pool.script = ("Yes.",)
    first = await open_tab(None, origin=None)
    asked = await first.ask("Hello?")
    await first.until_end()
    second = await open_tab(None, origin=None, hello=False)
    await second.send({"type": "hello", "v": 1, "token": first.welcome["token"]})
    welcome = await second.until("welcome")
    assert welcome["visitor"] == first.welcome["visitor"]
    await second.send({"type": "gen.resume", "gen": asked["gen"], "after": 0})
    await second.until_end()
    assert second.shown(asked["gen"]) == "Yes."


async def test_cookie_does_not_count_without_an_origin(open_tab: OpenTab) -> None:
    tab = await open_tab(ANNA, origin=None)
    assert tab.welcome["visitor"] != visitor_of_id(ANNA).pseudonym


async def test_forged_token_and_cookie(open_tab: OpenTab) -> None:
    tab = await open_tab(None, cookie="corral_visitor=" + "c" * 32 + ":forged")
    assert "token" in tab.welcome, "a cookie we did not write is nobody's"
    other = await open_tab(None, hello=False)
    await other.send({"type": "hello", "v": 1, "token": "c" * 32 + ":forged"})
    assert (await other.until("error"))["code"] == "unauthorised"
    assert await other.until_closed() == 4401


@pytest.mark.parametrize(
    ("origin", "host", "is_welcome"),
    [
        (b"http://localhost", b"localhost", True),
        (b"http://localhost:8000", b"localhost:8000", True),
        (b"https://localhost", b"localhost", True),
        (b"https://localhost:443", b"localhost", True),
        (b"http://localhost:8001", b"localhost:8000", False),
        (b"http://evil.example", b"localhost", False),
        (b"null", b"localhost", False),
        (b"http://evil.example", b"evil.example", False),
        (b"file://localhost", b"localhost", False),
        (b"http://localhost.evil.example", b"localhost", False),
        (b"http://[broken", b"localhost", False),
    ],
)
async def test_origin(open_tab: OpenTab, origin: bytes, host: bytes, is_welcome: bool) -> None:
    tab = await open_tab(ANNA, hello=False, origin=origin, host=host)
    await tab.send({"type": "hello", "v": 1})
    if is_welcome:
        assert (await tab.next())["type"] == "welcome"
    else:
        assert (await tab.next())["code"] == "origin_not_allowed"
        assert await tab.until_closed() == 4403


async def test_trusted_origin_is_our_own(open_tab: OpenTab, settings: object) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://www.example.org"]  # type: ignore[attr-defined]
    tab = await open_tab(ANNA, origin=b"https://www.example.org")
    assert tab.welcome["visitor"] == visitor_of_id(ANNA).pseudonym


async def test_subprotocol(open_tab: OpenTab) -> None:
    tab = Tab(ANNA)
    assert await tab.connect() == "chat.v1"
    await tab.close()
    old = await open_tab(ANNA, hello=False, subprotocols=["chat.v0"])
    assert (await old.until("error"))["code"] == "unsupported_version"
    assert await old.until_closed() == 4406


async def test_frame_before_hello_and_second_hello(open_tab: OpenTab) -> None:
    early = await open_tab(hello=False)
    await early.send({"type": "ping", "n": 1})
    assert (await early.until("error"))["code"] == "no_hello"
    assert await early.until_closed() == 4401
    twice = await open_tab()
    await twice.send({"type": "hello", "v": 1})
    assert (await twice.until("error"))["code"] == "second_hello"
    assert await twice.until_closed() == 4429


async def test_unknown_version(open_tab: OpenTab) -> None:
    tab = await open_tab(hello=False)
    await tab.send({"type": "hello", "v": 2})
    assert await tab.until_closed() == 4406


async def test_silence_closes(open_tab: OpenTab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "HELLO_TIMEOUT_S", 0.05)
    monkeypatch.setattr(consumers, "IDLE_TIMEOUT_S", 0.3)
    silent = await open_tab(hello=False)
    assert await silent.until_closed() == 4408
    idle = await open_tab()
    for n in range(3):
        await asyncio.sleep(0.15)
        await idle.send({"type": "ping", "n": n})
        assert await idle.until("pong") == {"type": "pong", "n": n}
    assert await idle.until_closed() == 4408
    assert idle.frames[-1]["code"] == "timeout"


async def test_too_many_tabs_replace_the_oldest(open_tab: OpenTab) -> None:
    tabs = [await open_tab() for _ in range(7)]
    assert await tabs[0].until_closed() == 4409
    await tabs[1].send({"type": "ping", "n": 7})
    assert (await tabs[1].until("pong"))["n"] == 7


# Bad input: a typed error, and the socket stays usable


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


# Asking


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
    assert kinds == ["gen.created", "gen.started", *["gen.delta"] * 3, "gen.done"]
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


# Stop, resume, several tabs


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


# Commands, recovery, sign-out, shutdown


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
    frame = {"type": "message.send", **GOOD, "cid": str(uuid.uuid4()), "gen": str(uuid.uuid4())}
    await asyncio.gather(first.send(frame), second.send(frame))
    acks = await asyncio.gather(first.until("message.ack"), second.until("message.ack"))
    assert sorted(ack["dup"] for ack in acks) == [False, True]
    assert await num_messages() == 2
