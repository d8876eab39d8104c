"""Conversations as the server would give them, for states a real model shows only by luck."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from apps.ai_chat.markdown import parse
from tests.browser.chat_page import ChatPage

Message = dict[str, Any]


def question(text: str, **more: Any) -> Message:
    """A stored question."""
    return _message("user", text) | more


def answer(text: str, **more: Any) -> Message:
    """A stored answer with its Markdown as the server reads it."""
    usage = {"prompt": 59, "completion": 41, "cached": 44}
    timing = {"queue_ms": 31_000, "ttft_ms": 900, "gen_ms": 14_000, "tok_s": 9.4}
    kept = {"generation": str(uuid.uuid4()), "usage": usage, "timing": timing, "reason": "stop"}
    return _message("assistant", text) | kept | {"nodes": parse(text)} | more


def show(page: ChatPage, messages: Sequence[Message]) -> None:
    """Open a conversation that consists of ``messages``, whatever the server thinks."""
    conversation = str(uuid.uuid4())
    body = {"id": conversation, "title": "", "live": None, "messages": list(messages)}
    address = f"**/api/v1/conversations/{conversation}/"
    page.page.route(address, lambda route: route.fulfill(json=body))
    page.open(f"/?c={conversation}")
    page.page.locator(".turn").first.wait_for()


def _message(role: str, text: str) -> Message:
    message = {"id": str(uuid.uuid4()), "role": role, "text": text, "state": "complete"}
    return message | {"created": "2026-11-21T10:00:00+00:00", "error": None}
