"""Answers as a visitor sees them: streaming, reloading, stopping, several tabs, a dead pool."""

from __future__ import annotations

import os
import re
import signal

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ChatPage
from tests.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
TOKENS_PER_SECOND = 15

LONG = "Tell me a story"
"""The demo model's answer has at least 60 tokens: four seconds at 15 tokens a second."""


def test_an_ai_says_so_before_the_first_message(page: ChatPage) -> None:
    expect(page.page.get_by_role("heading", level=1)).to_contain_text("AI assistant")
    expect(page.page.get_by_text("You are talking to an AI. It can be wrong.")).to_be_visible()


def test_a_question_is_answered_and_still_there_after_a_reload(page: ChatPage) -> None:
    page.ask("What is Corral?")
    answer = page.wait_for_end()
    assert re.search(r"\bCorral\b", answer)
    assert re.search(r"chat|assistant|pool|Django", answer)
    page.page.reload()
    assert page.wait_for_text(len(answer)) == answer
    assert page.questions == ["What is Corral?"]


def test_tokens_appear_while_the_answer_is_made(page: ChatPage) -> None:
    page.ask(LONG)
    shown = page.wait_for_text()
    expect(page.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    final = page.wait_for_end()
    assert 0 < len(shown) < len(final)
    assert final.startswith(shown)
    expect(page.page.get_by_role("button", name="Send")).to_be_visible()


def test_a_reload_in_the_middle_shows_the_whole_answer(page: ChatPage) -> None:
    page.ask(LONG)
    shown = page.wait_for_text(20)
    page.page.reload()
    again = page.wait_for_text(len(shown))
    assert again.startswith(shown)
    final = page.wait_for_end()
    assert len(shown) < len(final)
    assert final.startswith(again)
    stored = page.second_tab(page.conversation_path)
    assert stored.wait_for_end() == final


def test_a_reload_before_the_first_token_loses_nothing(page: ChatPage) -> None:
    page.ask(LONG)
    page.page.reload()
    assert page.wait_for_end() != ""
    assert page.questions == [LONG]


def test_stop_keeps_what_was_seen(page: ChatPage) -> None:
    page.ask(LONG)
    page.wait_for_text(30)
    page.stop()
    stopped = page.wait_for_end()
    expect(page.turns.last.get_by_text("Stopped")).to_be_visible()
    page.page.reload()
    assert page.wait_for_text(len(stopped)) == stopped
    page.page.get_by_role("button", name="Try again").click()
    assert len(page.wait_for_text(len(stopped) + 1)) > len(stopped)
    page.wait_for_end()
    assert page.questions == [LONG]


def test_two_tabs_show_the_same(page: ChatPage) -> None:
    page.ask("What is Corral?")
    page.wait_for_end()
    other = page.second_tab(page.conversation_path)
    assert other.wait_for_end() == page.answer
    page.ask(LONG)
    expect(other.turns).to_have_count(2)
    shown = other.wait_for_text(20)
    final = page.wait_for_end()
    assert len(shown) < len(final)
    assert other.wait_for_end() == final


def test_somebody_else_cannot_read_it(page: ChatPage, browser: Browser, server: LiveServer) -> None:
    page.ask("What is Corral?")
    page.wait_for_end()
    # Not by new_visitor: the browser reports the refused read as a problem of its own.
    stranger = ChatPage.open_as_new_visitor(browser, server.url)
    stranger.open(page.conversation_path)
    expect(stranger.notice).to_have_text("That conversation is no longer here.")
    assert stranger.questions == []
    stranger.close()


def test_a_killed_pool_is_replaced_and_the_next_question_answered(
    page: ChatPage, server: LiveServer
) -> None:
    page.ask(LONG)
    shown = page.wait_for_text(20)
    before = server.pool_pid()
    os.kill(before, signal.SIGKILL)
    final = page.wait_for_end()
    assert final.startswith(shown)
    assert server.pool_pid(unlike=before) != before
    page.ask("What is Corral?")
    expect(page.turns).to_have_count(2)
    assert page.wait_for_end() != ""


def test_what_is_written_offline_is_sent_afterwards(page: ChatPage) -> None:
    page.wait_until_settled()
    page.context.set_offline(True)
    page.ask("What is Corral?")
    expect(page.page.locator(".question--pending")).to_be_visible()
    expect(page.page.get_by_text("You're offline.")).to_be_visible()
    page.context.set_offline(False)
    assert page.wait_for_end() != ""
    assert page.questions == ["What is Corral?"]
