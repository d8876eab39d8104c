"""The chat by POST and server-sent events, against a fake pool."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.test import AsyncClient

from apps.ai_chat.generations import close_current_registry, get_registry
from apps.ai_chat.models import Message
from apps.ai_chat.services import questions
from apps.ai_chat.visitor import COOKIE_NAME, sign, visitor_of_id
from apps.ai_pool.actions.banner import remove_banner, show_banner
from apps.api import event_stream
from apps.widget import services as sites
from apps.widget.models import Site
from tests.apps.ai_chat.chat_schema import check_server_frame
from tests.apps.ai_chat.conftest import open_tab, pool
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.sockets.site_tab import user_jwt
from tests.apps.ai_chat.tab import Tab
from tests.event_reader import EventReader

__all__ = ["open_tab", "pool"]

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
ANNA, BERT = "a" * 32, "b" * 32
FRAMES = "/api/v1/chat/frames"
SHOP = "https://shop.example.org"
OpenTab = Callable[..., Awaitable[Tab]]
Headers = dict[str, str]


def client_of(visitor_id: str | None = ANNA, **options: Any) -> AsyncClient:
    client = AsyncClient(**options)
    if visitor_id is not None:
        client.cookies[COOKIE_NAME] = sign(visitor_id)
    return client


async def post(
    client: AsyncClient,
    frame: Any,
    *,
    status: int = 200,
    query: str = "",
    headers: Headers | None = None,
) -> Any:
    """Send a frame; returns what answers it."""
    body = frame if isinstance(frame, (str, bytes)) else json.dumps(frame)
    answer = await client.post(
        FRAMES + query, body, content_type="application/json", headers=headers or {}
    )
    assert answer.status_code == status, answer.content
    return answer.json()


async def ask(client: AsyncClient, text: str = "Hello?", **more: Any) -> tuple[str, dict[str, Any]]:
    """Ask; returns the generation and the ack."""
    gen = str(uuid.uuid4())
    frame = {"type": "message.send", "cid": str(uuid.uuid4()), "gen": gen, "text": text}
    answers = await post(client, frame, **more)
    assert answers[0]["type"] == "message.ack", answers
    return gen, answers[0]


def path_of(gen: str) -> str:
    return f"/api/v1/gen/{gen}/events"


class Events:
    """An open stream."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.reader = EventReader()
        self._pieces: AsyncIterator[bytes] = aiter(answer.streaming_content)

    async def until(self, *types: str) -> dict[str, Any]:
        """Read up to a frame of these types."""
        async with asyncio.timeout(5):
            while True:
                for frame in self.reader.feed(await anext(self._pieces)):
                    if frame["type"] in types:
                        return frame

    async def rest(self) -> list[str]:
        """Read to the end of the stream; returns the types of all frames."""
        async with asyncio.timeout(5):
            async for piece in self._pieces:
                self.reader.feed(piece)
        return [frame["type"] for frame in self.reader.frames]

    async def aclose(self) -> None:
        """What the server does behind the response, in whatever way it ended."""
        for close in self.answer._resource_closers:
            close()
        await asyncio.sleep(0)


async def listen(client: AsyncClient, gen: str, *, after: str = "", query: str = "") -> Any:
    headers = {"last-event-id": after} if after else {}
    answer = await client.get(path_of(gen) + query, headers=headers)
    assert answer.status_code == 200, answer.content
    return aclosing(Events(answer))


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


@database_sync_to_async
def make_site() -> Site:
    site = Site.objects.create(name="Shop")
    sites.allow_origin(site, SHOP)
    return site


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


# Events


async def test_resume_with_the_last_event_id(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    await pool.say(gen, "One ")
    async with await listen(client, gen) as events:
        await events.until("gen.delta")
    assert not get_registry().audience.members(), "who left is gone"
    await pool.say(gen, "two ")
    last = events.reader.last_id
    async with await listen(client, gen, after=last) as events:
        assert (await events.until("gen.delta"))["text"] == "two "
        assert len(events.reader.frames) == 1
        await pool.finish(gen)
        await events.rest()
    # Also as a parameter, and with nonsense for a number.
    async with await listen(client, gen, query=f"?after={last}") as events:
        assert (await events.rest())[0] == "gen.delta"
    for nonsense in ("x", "-1", "1e3", "9" * 40):
        async with await listen(client, gen, after=nonsense) as events:
            assert (await events.rest())[0] == "gen.created"


async def test_who_has_everything_gets_nothing(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    await pool.finish(gen)
    async with await listen(client, gen) as events:
        await events.rest()
    async with await listen(client, gen, after=events.reader.last_id) as events:
        assert await events.rest() == []


async def test_an_answer_of_long_ago(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    await pool.say(gen, "One")
    await pool.finish(gen)
    async with await listen(client, gen) as events:
        await events.rest()
    get_registry()._finished.clear()
    async with await listen(client, gen, after="2") as events:
        assert await events.rest() == ["gen.snapshot"]
    snapshot = events.reader.frames[0]
    assert (snapshot["text"], snapshot["state"]) == ("One", "complete")


async def test_a_restart_of_the_web_process(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    await pool.say(gen, "One\n\nTwo")
    async with await listen(client, gen) as events:
        await events.until("gen.block")
        await close_current_registry()
        error = await events.until("error")
        assert (error["code"], error["ref"]) == ("draining", gen)
        await events.rest()
    async with await listen(client, gen, after=events.reader.last_id) as events:
        assert (await events.until("gen.snapshot"))["text"] == "One\n\nTwo"
        await pool.say(gen, " three")
        await pool.finish(gen)
        assert (await events.rest())[-1] == "gen.done"


async def test_signs_of_life(pool: FakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    async with await listen(client, gen) as events:
        await events.until("gen.created")
        async with asyncio.timeout(5):
            while len(events.reader.comments) < 3:
                events.reader.feed(await anext(events._pieces))
        await pool.finish(gen)
        assert (await events.rest())[-1] == "gen.done"


async def test_a_stream_does_not_last_for_ever(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(event_stream, "MAX_STREAM_S", 0.05)
    gen, _ = await ask(client_of())
    async with await listen(client_of(), gen) as events:
        assert (await events.rest())[0] == "gen.created"
    assert not get_registry().audience.members()


async def test_a_stream_ends_with_the_word_that_opened_it(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.widget.user_tokens.LEEWAY_S", 0)
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(event_stream, "RECHECK_S", 0.01)
    site = await make_site()
    jwt = user_jwt(site, lasts_s=2)
    client, headers = client_of(None), {"authorization": f"Bearer {jwt}", "origin": SHOP}
    gen, _ = await ask(client, headers=headers)
    async with aclosing(Events(await client.get(path_of(gen), headers=headers))) as events:
        assert (await events.until("error"))["code"] == "login_ended"
        await events.rest()
    assert not get_registry().audience.members()


async def test_too_many_lines_of_one_visitor(pool: FakePool) -> None:
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    streams = []
    for _ in range(settings.CORRAL_SOCKETS_PER_VISITOR + 1):
        streams.append(Events(await client.get(path_of(gen))))
        await streams[-1].until("gen.created")
    error = await streams[0].until("error")
    assert error["code"] == "replaced"
    for stream in streams:
        await stream.aclose()
    assert not get_registry().audience.members()


async def test_a_socket_and_a_stream_see_the_same(open_tab: OpenTab, pool: FakePool) -> None:
    tab = await open_tab(ANNA)
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    async with await listen(client, gen) as events:
        await pool.say(gen, "One\n\nTwo")
        await pool.finish(gen)
        await events.rest()
    await tab.until_end()
    by_socket = [frame for frame in tab.frames if frame.get("gen") == gen]
    assert by_socket == events.reader.frames
    assert visitor_of_id(ANNA).key not in json.dumps(by_socket)


async def test_cancelled_while_waiting(pool: FakePool) -> None:
    """What a server does when the client hangs up."""
    client = client_of()
    gen, _ = await ask(client)
    await pool.wait_for_request()
    events = Events(await client.get(path_of(gen)))
    await events.until("gen.created")
    assert get_registry().audience.members()
    reading = asyncio.create_task(events.until("gen.done"))
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not get_registry().audience.members()
