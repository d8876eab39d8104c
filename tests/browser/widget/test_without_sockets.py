"""A network that lets no socket through, on the strict page: the chat works all the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_without_sockets import SWALLOW
from tests.browser.widget.conftest import NewHostVisitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

TOKENS_PER_SECOND = 15.0


def test_a_conversation_by_post(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor(None)
    page.context.add_init_script(SWALLOW)
    page.visit()
    page.open_chat()
    page.ask("What is Corral?")
    # Two sockets are waited for, and the first one's silence fetches what takes their place.
    assert "Corral" in page.wait_for_end()
    assert page.page.evaluate("window.numSockets") == 2
    assert len([url for url in page.requests if url.endswith("/line.js")]) == 1
    page.ask("Tell me a story")
    page.wait_for_text(30)
    page.panel.get_by_role("button", name="Stop", exact=True).click()
    expect(page.turns.last).to_contain_text("Stopped")
    expect(page.turns).to_have_count(2)
    frames = [url for url in page.requests if "/chat/frames" in url]
    assert frames and all("site=site_" in url for url in frames)
