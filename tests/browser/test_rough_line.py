"""A slow line that is cut every five seconds still carries a conversation."""

from __future__ import annotations

import hashlib
import sqlite3

import pytest
from playwright.sync_api import Browser

from tests.browser.chat_page import ChatPage
from tests.live import LiveServer
from tests.rough_line import rough_line

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
TOKENS_PER_SECOND = 12
QUESTIONS = ("Tell me a story", "What is Corral?", "Tell me a story")


def test_a_conversation_over_a_bad_line(browser: Browser, server: LiveServer) -> None:
    """50 KB/s, 300 ms, a reset every 5 s; each answer takes about 5 s."""
    with rough_line(server.port, latency_s=0.3, bytes_per_s=50_000, cut_every_s=5) as line:
        # The reports of cut connections are what this test is about, not a problem of the page.
        page = ChatPage.open_as_new_visitor(browser, line.url)
        try:
            shown = []
            for question in QUESTIONS:
                page.ask(question)
                page.page.wait_for_function(
                    "num => document.querySelectorAll('.turn').length === num",
                    arg=len(shown) + 1,
                    timeout=30_000,
                )
                shown.append(page.wait_for_end())
            assert page.questions == list(QUESTIONS)
        finally:
            page.close()
    assert line.num_cuts >= 2
    assert all(shown)
    assert [digest(text) for text in shown] == [digest(text) for text in stored(server)]


def digest(text: str) -> str:
    return hashlib.sha256("".join(text.split()).encode()).hexdigest()


def stored(server: LiveServer) -> list[str]:
    """The answers in the database, in their order."""
    with sqlite3.connect(server.var_dir / "db.sqlite3") as database:
        rows = database.execute(
            "SELECT text FROM ai_chat_message WHERE role = 'assistant' ORDER BY number"
        ).fetchall()
    database.close()
    return [text for (text,) in rows]
