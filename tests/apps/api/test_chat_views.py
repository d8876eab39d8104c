"""The chat by POST and server-sent events, against a fake pool."""

from __future__ import annotations

import uuid
from contextlib import aclosing
from typing import Any

import pytest
from channels.db import database_sync_to_async

from apps.ai_chat.generations import get_registry
from apps.ai_chat.models import Message
from apps.ai_chat.services import questions
from apps.ai_pool.actions.banner import remove_banner, show_banner
from tests.apps.ai_chat.chat_schema import check_server_frame
from tests.apps.ai_chat.conftest import pool
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.api.chat_calls import (
    BERT,
    FRAMES,
    SHOP,
    Events,
    ask,
    client_of,
    listen,
    make_site,
    path_of,
    post,
)

__all__ = ["pool"]

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_the_pool_command_works_without_sockets(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of()
    gen, _ = await ask(client, "/pool")
    async with await listen(client, gen) as events:
        done = await events.until("gen.done", "gen.snapshot")
    text = done.get("text") or "".join(f.get("text", "") for f in events.reader.frames)
    assert "Available: 3/4" in text
    monkeypatch.setattr(questions, "MAX_COMMANDS", 1)
    frame = {"type": "message.send", "text": "/pool"}
    ids = {"cid": str(uuid.uuid4()), "gen": str(uuid.uuid4())}
    (refused,) = await post(client, frame | ids, status=429)
    assert refused["code"] == "rate_limited" and refused["retry_after_s"] > 50


@database_sync_to_async
def row_of(generation: str) -> Message:
    return Message.objects.get(generation=generation)


# Frames by POST


async def test_a_question_and_its_answer(pool: FakePool) -> None:
    client = client_of()
    gen, ack = await ask(client)
    assert ack["gen"] == gen and ack["dup"] is False
    async with await listen(client, gen) as events:
        await pool.wait_for_request()
        await pool.start(gen)
        await pool.say(gen, "# Hi\n")
        assert (await events.until("gen.delta"))["text"] == "# Hi\n"
        await pool.say(gen, "there")
        await pool.finish(gen)
        types = await events.rest()
    assert types == [
        *("gen.created", "gen.started", "gen.delta", "gen.block"),
        *("gen.delta", "gen.block", "gen.done"),
    ]
    assert [frame["seq"] for frame in events.reader.frames] == [1, 2, 3, 4, 5, 6, 7]
    assert events.reader.last_id == "7"
    assert not get_registry().audience.members(), "nobody is left behind"
    headers = events.answer.headers
    assert headers["Content-Type"].startswith("text/event-stream")
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-cache", "no")


async def test_the_same_twice(pool: FakePool) -> None:
    client = client_of()
    gen = str(uuid.uuid4())
    frame = {"type": "message.send", "cid": str(uuid.uuid4()), "gen": gen, "text": "Hello?"}
    first = await post(client, frame)
    second = await post(client, frame)
    assert (first[0]["dup"], second[0]["dup"]) == (False, True)
    assert first[0]["conversation"] == second[0]["conversation"]
    await pool.wait_for_request()
    assert len(pool.requests) == 1


async def test_stop_feedback_and_read(pool: FakePool) -> None:
    client = client_of()
    gen, ack = await ask(client)
    await pool.wait_for_request()
    await pool.say(gen, "One two")
    async with await listen(client, gen) as events:
        await events.until("gen.delta")
        assert await post(client, {"type": "gen.stop", "gen": gen, "seen": 3}) == []
        done = await events.until("gen.done")
    assert (done["reason"], done["chars"]) == ("user_stop", 3)
    answer = str((await row_of(gen)).id)
    rated = await post(client, {"type": "feedback", "message": answer, "value": 1})
    assert [frame["type"] for frame in rated] == ["message.updated"]
    read = {"type": "read", "conversation": ack["conversation"], "message": answer}
    await post(client, read)
    resumed = await post(client, {"type": "gen.resume", "gen": gen, "after": 0})
    assert resumed[-1]["type"] == "gen.done"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "bad_frame"),
        (b"\xff", 400, "bad_frame"),
        ("[]", 400, "bad_frame"),
        ({"type": "identify", "user_jwt": "x"}, 400, "unknown_type"),
        ({"type": "pool.watch", "every_ms": 1000}, 400, "unknown_type"),
        ({"type": "nonsense"}, 400, "unknown_type"),
        ({"type": "gen.stop", "gen": str(uuid.uuid4())}, 404, "not_found"),
        ({"type": "gen.stop", "gen": 7}, 400, "bad_frame"),
        ("x" * 20_000, 400, "bad_frame"),
    ],
)
async def test_wrong_frames(pool: FakePool, body: Any, status: int, code: str) -> None:
    answers = await post(client_of(), body, status=status)
    assert [(frame["type"], frame["code"]) for frame in answers] == [("error", code)]


async def test_an_error_names_its_frame(pool: FakePool) -> None:
    frame = {"type": "message.send", "cid": str(uuid.uuid4()), "gen": str(uuid.uuid4()), "text": ""}
    answers = await post(client_of(), frame, status=400)
    assert (answers[0]["ref"], answers[0]["code"]) == (frame["cid"], "empty")


# Who may


async def test_a_stranger_and_another_visitor(pool: FakePool) -> None:
    gen, _ = await ask(client_of())
    ping = {"type": "ping", "n": 1}
    assert (await post(client_of(None), ping, status=401))[0]["code"] == "unauthorised"
    assert (await client_of(None).get(path_of(gen))).status_code == 401
    assert (await client_of(BERT).get(path_of(gen))).status_code == 404
    assert (await client_of(BERT).get(path_of(str(uuid.uuid4())))).status_code == 404
    stop = {"type": "gen.stop", "gen": gen}
    assert (await post(client_of(BERT), stop, status=404))[0]["code"] == "not_found"
    assert not get_registry().audience.members()


async def test_a_cookie_needs_the_csrf_token(pool: FakePool) -> None:
    client = client_of(enforce_csrf_checks=True)
    answer = await client.post(FRAMES, '{"type":"ping"}', content_type="application/json")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"


async def test_a_hello_is_answered_as_on_a_socket(pool: FakePool) -> None:
    """And what the operator has to say comes in the welcome, and with what is done afterwards."""
    await database_sync_to_async(show_banner)("We move on Monday.")
    client = client_of()
    hello = {"type": "hello", "v": 1, "lang": "en", "resume": []}
    (welcome,) = await post(client, hello)
    check_server_frame(welcome)
    assert (welcome["type"], welcome["banner"]) == ("welcome", "We move on Monday.")
    assert welcome["pool"]["state"] == "ok" and "token" not in welcome
    await database_sync_to_async(show_banner)("We have moved.")
    gen, _ = await ask(client)
    (again,) = (await post(client, hello))[0]["live"]
    assert again["gen"] == gen
    for frame in ({"type": "warm"}, {"type": "ping", "n": 1}):
        answers = await post(client, frame)
        banners = [one["text"] for one in answers if one["type"] == "banner"]
        assert banners == (["We have moved."] if frame["type"] == "warm" else [])
    await database_sync_to_async(remove_banner)()
    assert {"type": "banner", "text": ""} in await post(client, {"type": "warm"})


async def test_other_methods(pool: FakePool) -> None:
    assert (await client_of().get(FRAMES)).status_code == 405
    assert (await client_of().post(path_of(str(uuid.uuid4())))).status_code == 405


async def test_a_visitor_of_a_website(pool: FakePool) -> None:
    """Without a token first, then with the one that came with the first ack."""
    site = await make_site()
    client = client_of(None, enforce_csrf_checks=True)
    gen, ack = await ask(client, query=f"?site={site.key}", headers={"origin": SHOP})
    token = {"authorization": f"Bearer {ack['token']}", "origin": SHOP}
    assert ack["token_exp"] > 0
    answer = await client.get(path_of(gen), headers=token)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    async with aclosing(Events(answer)) as events:
        await pool.wait_for_request()
        await pool.finish(gen)
        assert (await events.rest())[-1] == "gen.done"
    other = {"authorization": token["authorization"], "origin": "https://evil.example"}
    assert (await client.get(path_of(gen), headers=other)).status_code in (401, 403)
    _, again = await ask(client, headers=token)
    assert "token" not in again
    (welcome,) = await post(client, {"type": "hello", "v": 1}, headers=token)
    assert welcome["site"]["key"] == site.key and welcome["token"]


async def test_an_unknown_site(pool: FakePool) -> None:
    ping = {"type": "ping", "n": 1}
    answers = await post(
        client_of(None), ping, status=404, query="?site=site_x", headers={"origin": SHOP}
    )
    assert answers[0]["code"] == "unknown_site"
