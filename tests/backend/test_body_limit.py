"""What is too large is refused before it is asked for, or as soon as that much has come."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pytest_django import Settings

from backend.body_limit import FORM_BYTES, WithBodyLimit, most_bytes

MOST = 1000


@pytest.fixture(autouse=True)
def limit(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = MOST


class Exchange:
    """One request to an application that reads all of it and answers with its length."""

    def __init__(self, path: str, *pieces: bytes, told: int | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.num_asked = 0
        self._pieces = list(pieces)
        headers = [] if told is None else [(b"content-length", str(told).encode())]
        scope = {"type": "http", "path": path, "headers": headers}
        asyncio.run(WithBodyLimit(self._application)(scope, self._receive, self._send))

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    async def _receive(self) -> dict[str, Any]:
        self.num_asked += 1
        piece = self._pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        length, is_more = 0, True
        while is_more:
            message = await receive()
            length, is_more = length + len(message["body"]), message["more_body"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": str(length).encode()})


def test_as_much_as_is_allowed() -> None:
    exchange = Exchange("/api/v1/x/", b"x" * 600, b"x" * 400, told=MOST)
    assert (exchange.status, exchange.body) == (200, b"1000")


def test_a_told_length_is_refused_unread() -> None:
    exchange = Exchange("/api/v1/x/", told=MOST + 1)
    assert exchange.status == 413 and exchange.num_asked == 0
    assert (b"connection", b"close") in exchange.sent[0]["headers"]


def test_pieces_are_counted() -> None:
    """One that tells nothing, and one that lies."""
    for told in (None, 5):
        exchange = Exchange("/api/v1/x/", b"x" * 600, b"x" * 401, b"never asked for", told=told)
        assert exchange.status == 413 and exchange.num_asked == 2


def test_each_interface_has_its_shape() -> None:
    api = json.loads(Exchange("/api/v1/x/", told=10**9).body)["error"]
    assert api["code"] == "too_big" and api["message"]
    openai = json.loads(Exchange("/v1/chat/completions", told=10**9).body)["error"]
    assert openai["code"] == "request_too_large" and openai["type"] == "invalid_request_error"
    assert Exchange("/language/", told=10**9).body == b"The request is too big."


def test_forms_of_the_admin_may_be_larger() -> None:
    assert most_bytes("/admin/widget/site/1/change/") == FORM_BYTES
    assert most_bytes("/v1/models") == most_bytes("/administration") == MOST


def test_sockets_pass() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        scope["seen"] = True

    scope = {"type": "websocket", "path": "/ws/chat/", "headers": [(b"content-length", b"9999")]}
    asyncio.run(WithBodyLimit(application)(scope, None, None))  # type: ignore[arg-type]
    assert scope["seen"]
