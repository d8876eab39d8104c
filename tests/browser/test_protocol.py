"""Every frame of a lively conversation is one that the schema of ``chat.v1`` allows."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import WebSocket, expect

from tests.apps.ai_chat.chat_schema import CLIENT, SERVER
from tests.browser.chat_page import ChatPage

TOKENS_PER_SECOND = 30
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
DRAFT = "a secret that is never sent"
Frame = dict[str, Any]


def listen(page: ChatPage) -> tuple[list[Frame], list[Frame]]:
    """Frames sent and received from now on."""
    sent: list[Frame] = []
    received: list[Frame] = []

    def note(socket: WebSocket) -> None:
        socket.on("framesent", lambda data: sent.append(json.loads(data)))
        socket.on("framereceived", lambda data: received.append(json.loads(data)))

    page.page.on("websocket", note)
    return sent, received


def wait_for(page: ChatPage, frames: list[Frame], kind: str) -> None:
    """Wait until a frame of this type has come."""
    deadline = time.monotonic() + 10
    while not any(frame["type"] == kind for frame in frames):
        assert time.monotonic() < deadline, f"no {kind}"
        page.page.wait_for_timeout(50)  # Frames are noted while the browser is listened to.


def test_both_sides_keep_to_it(page: ChatPage) -> None:
    sent, received = listen(page)
    page.page.reload()
    page.wait_until_online()
    page.ask("Tell me a story")
    page.wait_for_text(120)
    page.stop()
    page.wait_for_end()
    page.button("Continue").click()
    page.wait_for_text(180)
    page.page.reload()
    page.wait_until_online()
    page.wait_for_end()
    page.edit("Tell me a story", "What is Corral?")
    page.wait_for_end()
    page.button("Answer again").click()
    page.wait_for_end()
    expect(page.page.locator(".versions:not([hidden])")).to_have_count(2)
    page.button("Previous version").click()
    expect(page.page.locator(".answer__actions .versions__count").last).to_have_text("1/2")
    page.button("Good answer").click()
    expect(page.button("Good answer")).to_have_attribute("aria-pressed", "true")
    wait_for(page, received, "message.updated")
    for frame in sent:
        assert list(CLIENT.iter_errors(frame)) == []
    for frame in received:
        assert list(SERVER.iter_errors(frame)) == [], frame
    assert {frame["type"] for frame in sent} >= {
        *("hello", "message.send", "message.edit", "branch.select", "gen.regenerate"),
        *("gen.continue", "gen.stop", "read", "feedback", "warm"),
    }
    assert {frame["type"] for frame in received} >= {
        *("welcome", "message.ack", "message.updated", "conversation.updated"),
        *("gen.created", "gen.started", "gen.delta", "gen.block", "gen.done"),
    }


def test_the_model_gets_ready_but_the_draft_stays_here(page: ChatPage) -> None:
    sent, _ = listen(page)
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    page.page.reload()
    page.wait_until_online()
    page.box.focus()
    page.box.type(DRAFT)
    page.wait_until_settled()
    assert [frame for frame in sent if frame["type"] == "warm"] == [{"type": "warm"}]
    assert not any("secret" in json.dumps(frame) for frame in sent)
    assert not any("secret" in text for text in asked)
