"""Answers over REST, against a fake pool: asked for, waited for, followed, stopped, made again."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing
from typing import Any

import pytest
from django.test import AsyncClient

from ai_model.pool.errors import QueueFull
from apps.ai_chat.generations import get_registry
from apps.api import generation_steps
from tests.apps.ai_chat.conftest import pool
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.api.chat_calls import BERT, SHOP, Events, Headers, client_of, make_site
from tests.apps.api.rest_calls import GENERATIONS, ask, code_of, post, read, send

__all__ = ["pool"]

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def finished(client: AsyncClient, pool: FakePool, text: str = "Hi.", **options: Any) -> Any:
    """Ask, and let the answer come to its end."""
    number = len(pool.requests) + 1
    asked = await ask(client, **options)
    await pool.wait_for_request(number)
    await pool.say(asked["id"], text)
    await pool.finish(asked["id"])
    relay = get_registry().recall(uuid.UUID(asked["id"]))
    assert relay is not None
    async with asyncio.timeout(5):
        await relay.ended.wait()
    return asked


async def test_a_question_is_taken_and_answered(pool: FakePool) -> None:
    client = client_of()
    answer = await send(client, GENERATIONS, {"text": "Hello?"})
    asked = answer.json()
    assert answer.status_code == 202 and answer["Location"] == asked["url"]
    assert answer["Cache-Control"] == "no-store"
    assert (asked["state"], asked["answer"]["text"]) == ("streaming", "")
    assert asked["events"] == f"{asked['url']}events"
    await pool.wait_for_request()
    await pool.say(asked["id"], "Hi ")
    await wait_for_text(client, asked["url"], "Hi ")
    assert (await read(client, GENERATIONS))["results"][0]["id"] == asked["id"]
    await pool.say(asked["id"], "there.")
    await pool.finish(asked["id"])
    await wait_for_state(client, asked["url"], "complete")
    answer = await client.get(asked["url"])
    known = await client.get(asked["url"], headers={"if-none-match": answer["ETag"]})
    assert known.status_code == 304
    got = answer.json()
    assert got["answer"]["text"] == "Hi there." and got["answer"]["nodes"] == [["p", "Hi there."]]
    assert got["conversation"] == asked["conversation"] and got["waiting"] is None
    assert (await read(client, GENERATIONS))["results"] == []


async def wait_for_text(client: AsyncClient, address: str, text: str) -> None:
    async with asyncio.timeout(5):
        while (await read(client, address))["answer"]["text"] != text:
            await asyncio.sleep(0.01)


async def wait_for_state(client: AsyncClient, address: str, state: str) -> None:
    async with asyncio.timeout(5):
        while (await read(client, address))["state"] != state:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("query", "headers"), [("?wait=1", {}), ("", {"prefer": "respond-async, wait=20"})]
)
async def test_waiting_for_the_answer(pool: FakePool, query: str, headers: Headers) -> None:
    pool.script = ("Hi ", "there.")
    answer = await send(client_of(), GENERATIONS + query, {"text": "Hello?"}, headers=headers)
    assert answer.status_code == 200 and answer["Preference-Applied"] == "wait"
    body = answer.json()
    assert (body["state"], body["answer"]["text"]) == ("complete", "Hi there.")
    assert body["answer"]["usage"]["completion"] == 9


async def test_waiting_has_an_end(pool: FakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.api.waiting.MAX_WAIT_S", 0.05)
    body = await post(client_of(), f"{GENERATIONS}?wait=1", {"text": "Hello?"})
    assert body["state"] == "streaming", "it goes on"
    await pool.wait_for_request()


async def test_nobody_waits_where_too_many_do(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.api.waiting.MAX_WAITING", 0)
    answer = await send(client_of(), f"{GENERATIONS}?wait=1", {"text": "Hello?"})
    assert answer.status_code == 202 and "Preference-Applied" not in answer
    await pool.wait_for_request()


async def test_who_waits_is_told_of_a_refusal(pool: FakePool) -> None:
    pool.refusals.append(QueueFull("full", retry_after_s=7))
    answer = await send(client_of(), f"{GENERATIONS}?wait=1", {"text": "Hello?"})
    assert answer.status_code == 503 and answer["Retry-After"] == "7"
    assert code_of(answer.json()) == "queue_full"


async def test_who_does_not_wait_reads_it(pool: FakePool) -> None:
    pool.refusals.append(QueueFull("full", retry_after_s=7))
    client = client_of()
    asked = await ask(client)
    await wait_for_state(client, asked["url"], "failed")
    got = await read(client, asked["url"])
    assert got["answer"]["error"]["code"] == "queue_full"


async def test_the_same_again_is_asked_once(pool: FakePool) -> None:
    client, gen = client_of(), str(uuid.uuid4())
    first = await ask(client, fields={"id": gen})
    second = await ask(client, fields={"id": gen})
    assert first["id"] == second["id"] == gen
    assert first["question"] == second["question"]
    await pool.wait_for_request()
    await pool.finish(gen)
    await wait_for_state(client, first["url"], "complete")
    third = await ask(client, fields={"id": gen}, status=200)
    assert third["answer"]["id"] == first["answer"]["id"] and len(pool.requests) == 1
    # Of another visitor the same id is no way to anything.
    taken = await ask(client_of(BERT), fields={"id": gen}, status=409)
    assert code_of(taken) == "id_taken"


async def test_a_conversation_goes_on(pool: FakePool) -> None:
    client = client_of()
    first = await finished(client, pool)
    then = {"conversation": first["conversation"], "context": {"page": "Shoes", "n": 3}}
    second = await finished(client, pool, fields=then)
    assert second["conversation"] == first["conversation"]
    assert [message.text for message in pool.requests[-1].messages][-3] == "Hello?"
    assert "Shoes" in pool.requests[-1].messages[-1].text
    edited = await ask(client, "Hallo?", fields={"edits": second["question"]})
    assert edited["conversation"] == first["conversation"]
    question = await read(client, f"/api/v1/messages/{edited['question']}/")
    assert question["versions"]["ids"] == [second["question"], edited["question"]]
    await pool.wait_for_request(3)


async def test_what_it_waits_for(pool: FakePool) -> None:
    client = client_of()
    asked = await ask(client)
    await pool.wait_for_request()
    await pool.start(asked["id"])
    await pool.read(asked["id"])
    async with asyncio.timeout(5):
        while (waiting := (await read(client, asked["url"]))["waiting"]) is None:
            await asyncio.sleep(0.01)
    assert waiting == {"for": "prompt", "done": 1, "total": 2, "cached": 0}
    await pool.finish(asked["id"])
    await wait_for_state(client, asked["url"], "complete")
    assert (await read(client, asked["url"]))["waiting"] is None


async def test_stop(pool: FakePool) -> None:
    client = client_of()
    asked = await ask(client)
    await pool.wait_for_request()
    await pool.say(asked["id"], "One two")
    await wait_for_text(client, asked["url"], "One two")
    stopped = await post(client, f"{asked['url']}stop", {"seen": 3}, status=200)
    assert (stopped["state"], stopped["answer"]["text"]) == ("stopped", "One")
    again = await post(client, f"{asked['url']}stop", status=200)
    assert again["answer"]["text"] == "One"


async def test_again_and_further(pool: FakePool) -> None:
    client = client_of()
    asked = await finished(client, pool)
    again = await post(client, f"{asked['url']}regenerate", {"id": str(uuid.uuid4())})
    assert again["question"] == asked["question"] and again["id"] != asked["id"]
    await pool.wait_for_request(2)
    await pool.say(again["id"], "Half a")
    await wait_for_text(client, again["url"], "Half a")
    await post(client, f"{again['url']}stop", status=200)
    further = await post(client, f"{again['url']}continue")
    assert further["answer"]["id"] == again["answer"]["id"]
    await pool.wait_for_request(3)
    await pool.say(further["id"], " sentence.")
    await pool.finish(further["id"])
    await wait_for_state(client, further["url"], "complete")
    assert (await read(client, further["url"]))["answer"]["text"] == "Half a sentence."
    whole = await post(client, f"{further['url']}continue", status=409)
    assert code_of(whole) == "not_editable"


async def test_events(pool: FakePool) -> None:
    client = client_of()
    asked = await ask(client)
    await pool.wait_for_request()
    await pool.say(asked["id"], "One ")
    headers = {"accept": "text/event-stream"}
    answer = await client.get(asked["events"], headers=headers)
    assert answer["Content-Type"].startswith("text/event-stream")
    async with aclosing(Events(answer)) as events:
        assert (await events.until("gen.delta"))["text"] == "One "
        await pool.say(asked["id"], "two")
        await pool.finish(asked["id"])
        assert (await events.rest())[-1] == "gen.done"
    behind = {"last-event-id": events.reader.last_id}
    async with aclosing(Events(await client.get(asked["events"], headers=behind))) as events:
        assert await events.rest() == []
    assert not get_registry().audience.members()


async def test_errors_of_events_are_json(pool: FakePool) -> None:
    address = f"{GENERATIONS}{uuid.uuid4()}/events"
    answer = await client_of().get(address, headers={"accept": "text/event-stream"})
    assert answer.status_code == 404 and code_of(answer.json()) == "not_found"
    assert (await client_of().head(address)).status_code == 405
    assert (await client_of().post(address)).status_code == 405


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"text": ""}, 400, "empty"),
        ({"text": "x" * 5000}, 413, "too_long"),
        ({"text": "x", "id": 7.5}, 400, "invalid"),
        ({"text": "x", "context": {"a": {}}}, 400, "invalid"),
        ({"text": "x", "context": [1]}, 400, "invalid"),
        ({"text": "\ud800"}, 400, "invalid"),
        ({"text": "a\x00b"}, 400, "invalid"),
        ({"text": "x", "site": "site_x"}, 400, "invalid"),
        ({"text": "x", "conversation": str(uuid.uuid4())}, 404, "not_found"),
        ({"text": "x", "edits": str(uuid.uuid4())}, 404, "not_found"),
        ("[]", 400, "invalid"),
        ("{", 400, "bad_frame"),
        ('{"text":"' + "x" * 70_000 + '"}', 413, "too_big"),
    ],
)
async def test_what_can_not_be(pool: FakePool, body: Any, status: int, code: str) -> None:
    answer = await client_of().post(GENERATIONS, body, content_type="application/json")
    assert answer.status_code == status, answer.content
    assert code_of(answer.json()) == code or status == 400
    assert not pool.requests


async def test_who_may_ask(pool: FakePool) -> None:
    assert code_of(await ask(client_of(None), status=401)) == "unauthorised"
    refused = await ask(client_of(enforce_csrf_checks=True), status=403)
    assert code_of(refused) == "forbidden"


async def test_a_visitor_of_a_website(pool: FakePool) -> None:
    """The token comes with the first question, as on a socket."""
    pool.script = ("Hi.",)
    site = await make_site()
    client, origin = client_of(None, enforce_csrf_checks=True), {"origin": SHOP}
    address = f"{GENERATIONS}?site={site.key}&wait=1"
    first = await post(client, address, {"text": "Hello?"}, status=200, headers=origin)
    assert first["token"] and first["token_exp"] > 0
    token = origin | {"authorization": f"Bearer {first['token']}"}
    assert (await read(client, first["url"], **token))["answer"]["text"] == "Hi."
    again = await post(client, f"{GENERATIONS}?wait=1", {"text": "?"}, status=200, headers=token)
    assert "token" not in again


async def test_too_many_questions(pool: FakePool) -> None:
    client = client_of()
    await ask(client)
    refused = await ask(client, fields={"conversation": None}, status=202)
    assert refused["id"]
    assert code_of(await ask(client, status=429)) == "inflight_limit"


async def test_stopping_waits_no_longer_than_it_should(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_steps, "STOP_WAIT_S", 0.05)

    async def deaf(*given: Any, **more: Any) -> None:
        return None

    monkeypatch.setattr(pool, "stop", deaf)
    client = client_of()
    asked = await ask(client)
    stopped = await post(client, f"{asked['url']}stop", status=200)
    assert stopped["state"] == "streaming"
