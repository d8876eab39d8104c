"""Who has used up what they may use is told so, with the time, and loses nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewVisitor
from tests.live import LiveServer

SETTINGS = {"CORRAL_ANONYMOUS_SOCKETS": "1", "CORRAL_ANONYMOUS_MESSAGES_PER_HOUR": "1"}
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_questions_and_sockets(
    browser: Browser, server: LiveServer, new_visitor: NewVisitor
) -> None:
    page = new_visitor()
    page.ask("What is Corral?")
    page.wait_for_end()
    page.ask("And what is a pool?")
    expect(page.notice).to_contain_text("You can send again in")
    expect(page.page.locator("textarea")).to_have_value("And what is a pool?")

    late = ChatPage(browser.new_context(), server.url, page.problems)
    late.page.goto(server.url + "/")
    expect(late.notice).to_contain_text("You can send again in 10 seconds")
    # No socket is free, so it comes in without one.
    late.wait_until_online()
    late.ask("What is Corral?")
    late.wait_for_end()
    late.close()
