"""Answers for programs with a key: for whom, within what limits, and what counts for the key."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing
from typing import Any

import pytest
from channels.db import database_sync_to_async

from ai_model.pool.priority import Priority
from apps.ai_chat.generations import get_registry
from apps.ai_chat.models import Message
from apps.api import event_stream, spending
from apps.api.api_keys import create_key, revoke_key
from apps.api.models import ApiKey
from tests.apps.ai_chat.conftest import pool
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.api.chat_calls import Events, Headers, client_of, make_site
from tests.apps.api.rest_calls import GENERATIONS, ask, code_of, post, read, send

__all__ = ["pool"]

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@database_sync_to_async
def make_key(name: str = "shop", **fields: Any) -> tuple[ApiKey, Headers]:
    key, secret = create_key(name=name, **fields)
    return key, {"authorization": f"Bearer {secret}"}


async def test_a_program_asks_for_its_users(pool: FakePool) -> None:
    pool.script = ("Hi.",)
    _, headers = await make_key()
    client = client_of(None, enforce_csrf_checks=True)
    wait = f"{GENERATIONS}?wait=1"
    own = await post(client, wait, {"text": "Hello?"}, status=200, headers=headers)
    anna = headers | {"x-corral-user": "anna"}
    hers = await post(client, wait, {"text": "Hello?"}, status=200, headers=anna)
    assert {request.priority for request in pool.requests} == {Priority.API}
    assert pool.requests[0].visitor != pool.requests[1].visitor
    assert (await read(client, hers["url"], **anna))["id"] == hers["id"]
    for one, another in ((own, anna), (hers, headers), (hers, anna | {"x-corral-user": "bert"})):
        answer = await client.get(one["url"], headers=another)
        assert answer.status_code == 404
    listed = await read(client, "/api/v1/conversations/", **anna)
    assert [row["id"] for row in listed["results"]] == [hers["conversation"]]
    _, other = await make_key("other")
    answer = await client.get(hers["url"], headers=other | {"x-corral-user": "anna"})
    assert answer.status_code == 404, "the same name with another key is somebody else"


async def test_a_program_needs_the_scope(pool: FakePool) -> None:
    _, headers = await make_key(scopes=["pool.admin"])
    client = client_of(None)
    assert code_of(await ask(client, status=403, headers=headers)) == "forbidden"
    for path in ("/api/v1/conversations/", "/api/v1/visitor", "/api/v1/visitor/export"):
        assert (await client.get(path, headers=headers)).status_code == 403
    wrong = {"authorization": "Bearer corral_nonsense"}
    assert (await client.get(GENERATIONS, headers=wrong)).status_code == 401
    _, good = await make_key("good")
    long = good | {"x-corral-user": "x" * 201}
    assert (await client.get(GENERATIONS, headers=long)).status_code == 400


async def test_a_program_names_a_website(pool: FakePool) -> None:
    site = await make_site()
    _, headers = await make_key()
    pool.script = ("Hi.",)
    body = {"text": "Hello?", "site": site.key}
    client = client_of(None)
    asked = await post(client, f"{GENERATIONS}?wait=1", body, status=200, headers=headers)
    row = await Message.objects.select_related("conversation").aget(generation=asked["id"])
    assert row.conversation.site_id == site.pk
    listed = await read(client, f"/api/v1/conversations/?site={site.key}", **headers)
    assert len(listed["results"]) == 1
    body["site"] = "site_unknown"
    assert code_of(await post(client, GENERATIONS, body, status=404, headers=headers))


async def test_an_answer_counts_for_its_key(pool: FakePool, settings: Any) -> None:
    settings.CORRAL_MAX_TOKENS = 10
    _, headers = await make_key(max_running=1, requests_per_minute=0, tokens_per_hour=15)
    client, anna = client_of(None), headers | {"x-corral-user": "anna"}
    first = await ask(client, headers=headers)
    assert code_of(await ask(client, headers=anna, status=429)) == "inflight_limit"
    await pool.wait_for_request()
    await pool.say(first["id"], "Hi")
    await pool.finish(first["id"])
    async with asyncio.timeout(10):
        while (answer := await send(client, GENERATIONS, {"text": "?"}, headers=anna)).status_code:
            if answer.status_code == 202:
                break
            await asyncio.sleep(0.05)
    await pool.wait_for_request(2)
    gen = answer.json()["id"]
    await pool.say(gen, "x" * 10)
    await pool.finish(gen)
    async with asyncio.timeout(10):
        while True:
            refused = await send(client, GENERATIONS, {"text": "?"}, headers=headers)
            assert refused.status_code == 429
            if code_of(refused.json()) == "rate_limited":
                break
            await asyncio.sleep(0.05)
    assert int(refused["Retry-After"]) >= 1, "12 of 15 tokens are written: no room for 10 more"


async def test_what_was_not_needed_comes_back(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[int] = []
    original = spending.Spending.settle_aside

    async def settle(self: spending.Spending, num_written: int) -> None:
        settled.append(num_written)
        await original(self, num_written)

    monkeypatch.setattr(spending.Spending, "settle_aside", settle)
    _, headers = await make_key()
    pool.script = ("Hi.",)
    client, gen = client_of(None), str(uuid.uuid4())
    body = {"text": "Hello?", "id": gen}
    await post(client, f"{GENERATIONS}?wait=1", body, status=200, headers=headers)
    await post(client, GENERATIONS, body, status=200, headers=headers)
    await post(client, GENERATIONS, {"text": ""}, status=400, headers=headers)
    assert sorted(settled) == [0, 0, 3], "of an answer, of the same again, of a refusal"


async def test_a_stream_ends_with_its_key(pool: FakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(event_stream, "RECHECK_S", 0.01)
    key, headers = await make_key()
    client = client_of(None)
    asked = await ask(client, headers=headers)
    async with aclosing(Events(await client.get(asked["events"], headers=headers))) as events:
        await events.until("gen.created")
        await database_sync_to_async(revoke_key)(key)
        assert (await events.until("error"))["code"] == "unauthorised"
        await events.rest()
    assert not get_registry().audience.members()
