"""X-Request-ID: in, through the log, out; and the list of requests without a word of a visitor."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import pytest
from pytest_django import Settings

from ai_model.request_id import current_request_id, is_request_id
from backend.request_ids import WithRequestIds

Message = MutableMapping[str, Any]


class Site:
    """An application that answers 200, and remembers under which id it ran."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.is_broken = False

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.seen.append(current_request_id.get())
        if self.is_broken:
            raise RuntimeError
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
            await send({"type": "http.response.body", "body": b""})


async def ask(site: Any, path: str = "/", kind: str = "http", given: str | None = None) -> Any:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if given is None else [(b"x-request-id", given.encode("latin-1"))]
    scope = {"type": kind, "path": path, "method": "GET", "headers": headers}
    await WithRequestIds(site)(scope, None, send)
    return dict(sent[0]["headers"]) if sent else None


async def test_a_sound_id_is_kept_and_sent_back() -> None:
    site = Site()
    headers = await ask(site, given="from-nginx-1")
    assert site.seen == ["from-nginx-1"]
    assert headers == {b"a": b"b", b"x-request-id": b"from-nginx-1"}
    assert current_request_id.get() == ""


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 100, "a\u00e9"])
async def test_without_a_sound_one_it_is_made(given: str | None) -> None:
    site = Site()
    headers = await ask(site, given=given)
    (made,) = site.seen
    assert is_request_id(made) and made != given
    assert headers[b"x-request-id"] == made.encode()


async def test_sockets_have_one_and_other_scopes_have_none() -> None:
    site = Site()
    await ask(site, "/ws/chat/", "websocket", "abc")
    await ask(site, kind="lifespan", given="abc")
    assert site.seen == ["abc", ""]


async def test_the_list_of_requests(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.CORRAL_ACCESS_LOG = True
    site = Site()
    with caplog.at_level(logging.INFO):
        await ask(site, "/health/live")
        await ask(site, "/a-secret-that-was-typed")
        await ask(site, "/static/ai_chat/chat.css")
        await ask(site, "/ws/chat/", "websocket")
        await ask(site, "/ws/secret/", "websocket")
        site.is_broken = True
        with pytest.raises(RuntimeError):
            await ask(site, "/health/live")
    told = [(record.getMessage(), record.corral_facts) for record in caplog.records]
    assert [(words, facts["route"], facts.get("status")) for words, facts in told] == [
        ("request answered", "health/live", 200),
        ("request answered", "-", 200),
        ("request answered", "static/", 200),
        ("socket closed", "ws/chat/", None),
        ("socket closed", "-", None),
        ("request answered", "health/live", None),
    ]
    assert all(facts["total_ms"] >= 0 for _, facts in told)


async def test_no_list_unless_it_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await ask(Site(), "/health/live")
    assert not caplog.records
