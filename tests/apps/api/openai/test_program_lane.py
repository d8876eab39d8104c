"""Programs are answered as Django would answer them, and without a thread for each."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient
from django.urls import path

from apps.api.openai import program_lane
from apps.api.openai.program_lane import WithProgramLane

TIMEOUT_S = 20


class Client:
    """The server's side of one request: what it hands over, and what it is given."""

    def __init__(self, address: str, *parts: bytes, method: str = "GET", host: str = "localhost"):
        self.scope = {
            **{"type": "http", "method": method, "path": address, "query_string": b""},
            **{"http_version": "1.1", "scheme": "http", "root_path": ""},
            "headers": [(b"host", host.encode()), (b"content-type", b"application/json")],
        }
        self.sent: list[dict[str, Any]] = []
        self._parts = list(parts) or [b""]
        self.is_gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._parts:
            body = self._parts.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self._parts)}
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))

    async def ask(self, application: Any) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await application(self.scope, self.receive, self.send)

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode().lower(): text.decode() for name, text in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "elsewhere"})


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], WithProgramLane]:
    """A lane to one view."""

    def lane_to(view: Any) -> WithProgramLane:
        match = path("", view).resolve("")
        monkeypatch.setattr(program_lane, "_match_of", lambda scope: match)
        return WithProgramLane(elsewhere)

    return lane_to


async def test_the_same_answer_as_by_django(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    mine = Client("/v1/models")
    await mine.ask(WithProgramLane(elsewhere))
    theirs = await AsyncClient().get("/v1/models")
    assert mine.sent[0]["status"] == theirs.status_code == 401
    assert json.loads(mine.body) == theirs.json()
    # What depends on a session or a language is nothing to programs.
    expected = {name.lower() for name in theirs.headers} - {"vary", "content-language"}
    assert expected <= set(mine.headers)
    assert all(mine.headers[name] == theirs.headers[name] for name in expected)
    assert {"content-security-policy", "x-frame-options", "permissions-policy"} <= expected


@pytest.mark.parametrize("address", ["/", "/api/v1/pool/", "/pool/", "/static/v1/x"])
async def test_everything_else_goes_on(address: str) -> None:
    client = Client(address)
    await client.ask(WithProgramLane(elsewhere))
    assert client.sent == [{"type": "elsewhere"}]


async def test_a_host_that_is_not_ours(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    client = Client("/v1/models", host="evil.example")
    await client.ask(WithProgramLane(elsewhere))
    assert client.sent[0]["status"] == 400
    assert json.loads(client.body)["error"]["code"] == "invalid_host"


async def test_https_is_asked_for_where_the_project_does(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["localhost"]
    client = Client("/v1/models")
    await client.ask(WithProgramLane(elsewhere))
    assert client.sent[0]["status"] == 301
    assert client.headers["location"] == "https://localhost/v1/models"


async def test_a_defect_is_an_error_of_the_table(view: Any) -> None:
    async def broken(request: HttpRequest) -> HttpResponse:
        raise LookupError("nobody's business")

    client = Client("/v1/x")
    await client.ask(view(broken))
    assert client.sent[0]["status"] == 500
    assert json.loads(client.body)["error"]["code"] == "internal"
    assert b"business" not in client.body


async def test_a_body_in_pieces_and_no_thread_for_it(view: Any) -> None:
    async def echo(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.body)

    client = Client("/v1/x", b"one", b" two", method="POST")
    before = threading.active_count()
    await client.ask(view(echo))
    assert client.body == b"one two" and client.headers["content-length"] == "7"
    assert threading.active_count() == before


@pytest.mark.parametrize("is_streaming", [False, True])
async def test_who_goes_away_ends_the_work(view: Any, is_streaming: bool) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    class Stream:
        async def __aiter__(self) -> AsyncGenerator[bytes, None]:
            yield b"one"
            began.set()
            await asyncio.sleep(3600)

        def close(self) -> None:
            ended.set()

    async def slow(request: HttpRequest) -> Any:
        if is_streaming:
            return StreamingHttpResponse(Stream())
        began.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    client = Client("/v1/x")
    asking = asyncio.create_task(client.ask(view(slow)))
    async with asyncio.timeout(TIMEOUT_S):
        await began.wait()
        client.is_gone.set()
        await asking
        await ended.wait()
    assert [message["type"] for message in client.sent][: 1 + is_streaming] == (
        ["http.response.start", "http.response.body"] if is_streaming else []
    )
