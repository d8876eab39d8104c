"""The chat on a page that allows nothing but the two documented lines, and Trusted Types."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.widget.conftest import NewHostVisitor, Shop
from tests.browser.widget.host_page import NARROW, HostPage, page_html

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

TOKENS_PER_SECOND = 15.0


def stored(page: HostPage) -> dict[str, str]:
    return dict(json.loads(page.page.evaluate("JSON.stringify(localStorage)")))


def test_from_the_tag_to_an_answer(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    page = new_host_visitor()
    expect(page.launcher).to_have_attribute("aria-haspopup", "dialog")
    # The panel's code waits until somebody shows interest.
    assert not [url for url in page.requests if "panel" in url]
    page.open_chat()
    expect(page.panel).to_have_accessible_name("Tea Assistant AI assistant")
    expect(page.box).to_be_focused()
    page.wait_until_online()
    page.box.fill("What is Corral?")
    assert stored(page) == {}
    page.box.press("Enter")
    page.wait_for_text(10)
    assert set(stored(page)) == {f"corral:{shop.key}"}
    assert "Corral" in page.wait_for_end()
    # Of the chat itself nothing is stored where every script of the page could read it.
    assert "What is" not in stored(page)[f"corral:{shop.key}"]
    elsewhere = [url for url in page.requests if not url.startswith(shop.chat_url)]
    assert elsewhere == [shop.host.origin + "/"]


def test_a_reload_comes_back_to_the_running_answer(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor()
    page.open_chat()
    page.ask("Tell me a story")
    shown = page.wait_for_text(30)
    page.page.reload()
    # Somebody waits for this answer, so the badge must come without a click.
    expect(page.page.locator("corral-chat .badge")).to_have_text("1", timeout=60_000)
    expect(page.launcher).to_have_accessible_name("Open the chat (1)")
    expect(page.page.locator("corral-chat .said")).to_have_text("New reply in chat")
    page.open_chat()
    assert page.wait_for_end().startswith(shown[:30])
    expect(page.turns).to_have_count(1)
    expect(page.page.locator("corral-chat .badge")).to_be_hidden()


def test_a_phone_gives_the_whole_screen(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor(**NARROW)
    page.launcher.tap()
    expect(page.panel).to_be_visible()
    page.wait_until_online()
    box = page.panel.bounding_box()
    assert box is not None and (box["width"], box["height"]) == (390, 844)
    # The keyboard of the phone stays down until somebody wants to write.
    expect(page.panel.get_by_role("heading", name="Tea Assistant")).to_be_focused()
    assert page.panel.evaluate("node => node.matches(':modal')")
    assert page.box.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 16
    page.panel.get_by_role("button", name="Close", exact=True).tap()
    expect(page.panel).to_be_hidden()
    expect(page.launcher).to_be_focused()


def test_with_the_keyboard_alone(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor()
    expect(page.launcher).to_be_visible()
    keyboard = page.page.keyboard
    keyboard.press("Tab")
    keyboard.press("Tab")
    expect(page.launcher).to_be_focused()
    keyboard.press("Enter")
    expect(page.box).to_be_focused()
    page.wait_until_online()
    keyboard.type("Tell me a story")
    keyboard.press("Enter")
    page.wait_for_text(60)
    keyboard.press("Tab")
    expect(page.panel.get_by_role("button", name="Stop", exact=True)).to_be_focused()
    keyboard.press("Enter")
    expect(page.turns.last).to_contain_text("Stopped")
    keyboard.press("Escape")
    expect(page.panel).to_be_hidden()
    expect(page.launcher).to_be_focused()


def test_the_focus_of_the_page_is_never_under_the_chat(
    new_host_visitor: NewHostVisitor, shop: Shop
) -> None:
    corner = '<p style="position:fixed;right:24px;bottom:24px"><a href="#a" id="corner">Top</a></p>'
    shop.serve("/corner", page_html(body=corner + shop.tag), policy="")
    page = new_host_visitor("/corner")
    expect(page.launcher).to_be_visible()
    before = page.launcher.bounding_box()
    page.page.locator("#corner").focus()
    after = page.launcher.bounding_box()
    assert before is not None and after is not None
    assert after["x"] < 100 < before["x"]
    page.page.get_by_role("link", name="More").focus()
    assert page.launcher.bounding_box() == before
