"""A site without a usable model: the page works and says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ChatPage
from tests.live import LiveServer, live_server_process

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def server(browser: Browser) -> Iterator[LiveServer]:
    """A server that was told to use a file that is not there."""
    with live_server_process(CORRAL_MODEL_PATH="/nowhere/model.gguf") as live:
        yield live


def test_the_page_says_that_there_is_no_model(
    browser: Browser, server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChatPage, "wait_until_online", lambda self: None)
    page = ChatPage.open_as_new_visitor(browser, server.url)
    try:
        status = page.page.locator("#status-text")
        expect(status).to_have_text("No model yet", timeout=30_000)
        page.ask("What is Corral?")
        expect(page.turns.last).to_contain_text("The assistant has no model yet.", timeout=30_000)
        page.page.reload()
        expect(page.turns.last).to_contain_text("The assistant has no model yet.")
        assert page.questions == ["What is Corral?"]
        assert page.problems == []
    finally:
        page.close()
