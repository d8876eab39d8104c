"""A network that lets no socket through: the chat works all the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ANSWER_MS, ChatPage
from tests.live import LiveServer

TOKENS_PER_SECOND = 20
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
# A proxy that swallows the upgrade: the socket neither opens nor closes.
SWALLOW = """
class Swallowed extends EventTarget {
  static numMade = (window.numSockets = 0);
  constructor() { super(); window.numSockets += 1; }
  send() {}
  close() {}
}
window.WebSocket = Swallowed;
"""


@pytest.fixture
def page(browser: Browser, server: LiveServer) -> ChatPage:
    """The page behind such a proxy, once it has found its way."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    context.add_init_script(SWALLOW)
    tab = ChatPage(context, server.url, [])
    tab.open("/")
    yield tab
    tab.close()
    assert tab.problems == []


def test_a_whole_conversation(page: ChatPage) -> None:
    assert page.page.evaluate("window.numSockets") == 2
    page.ask("What is Corral?")
    page.wait_for_text(5)
    page.ask("too early")
    expect(page.notice).to_contain_text("still on your last question")
    page.write("")
    first = page.wait_for_end()
    page.edit("What is Corral?", "Tell me a story")
    page.wait_for_text(80)
    page.stop()
    stopped = page.wait_for_end()
    page.button("Continue").click()
    page.wait_for_text(len(stopped) + 5)
    assert page.wait_for_end().startswith(stopped.rstrip())
    page.button("Previous version").click()
    expect(page.turns.last.locator(".answer__text")).to_have_text(first)
    page.button("Good answer").click()
    expect(page.button("Good answer")).to_have_attribute("aria-pressed", "true")


def test_what_the_operator_says_is_shown(page: ChatPage, server: LiveServer) -> None:
    """To who opens the page, and to who asks something on a page that is open."""
    bar = page.page.locator("#bar-text")
    expect(bar).to_be_hidden()
    assert server.manage("pool", "banner", "We move on Monday.").returncode == 0
    page.ask("What is Corral?")
    expect(bar).to_have_text("We move on Monday.")
    page.wait_for_end()
    page.page.reload()
    page.wait_until_online()
    expect(bar).to_have_text("We move on Monday.")
    assert server.manage("pool", "banner", "--remove").returncode == 0
    page.ask("Thank you")
    expect(bar).to_be_hidden()
    page.wait_for_end()


def test_a_reload_in_the_middle_goes_on(page: ChatPage) -> None:
    page.ask("Tell me a story")
    page.wait_for_text(20)
    page.page.reload()
    page.wait_until_online()
    text = page.wait_for_end()
    assert text.endswith("herself.")
    page.page.reload()
    expect(page.turns.last.locator(".answer__text")).to_have_text(text, timeout=ANSWER_MS)
