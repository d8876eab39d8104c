"""What is kept, a copy of it, and its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def test_a_copy_of_everything(page: ChatPage, tmp_path: Path) -> None:
    page.ask("What is Corral?")
    text = page.wait_for_end()
    page.button("Privacy").click()
    expect(page.page.get_by_text("1 chat of yours is stored here.")).to_be_visible()
    with page.page.expect_download() as download:
        page.page.get_by_role("link", name="Download my chats").click()
    path = tmp_path / "chats.json"
    download.value.save_as(path)
    kept = path.read_text()
    assert json.loads(kept)
    assert "What is Corral?" in kept
    assert text[:30] in kept


def test_the_end_of_everything_is_asked_for_twice_and_seen_everywhere(page: ChatPage) -> None:
    page.ask("What is Corral?")
    page.wait_for_end()
    path = page.conversation_path
    other = page.second_tab(path)
    expect(other.turns).to_have_count(1)
    page.button("Privacy").click()
    page.button("Delete my chats").click()
    expect(page.button("Keep them")).to_be_focused()
    page.button("Keep them").click()
    expect(page.history).to_have_count(1)
    page.button("Delete my chats").click()
    page.button("Delete everything").click()
    for tab in (page, other):
        expect(tab.history).to_have_count(0)
        expect(tab.turns).to_have_count(0)
    expect(page.page.get_by_text("Your chats have been deleted.")).to_be_visible()
    expect(other.notice).to_have_text("That conversation is no longer here.")
    page.ask("What is the pool?")
    page.wait_for_end()
    expect(page.history).to_have_count(1)


def test_the_box_is_left_with_escape(page: ChatPage) -> None:
    page.button("Privacy").press("Enter")
    expect(page.page.get_by_text("Nothing is stored about you yet.")).to_be_visible()
    expect(page.button("Delete my chats")).to_be_hidden()
    expect(page.page.locator("#privacy-copy")).to_be_hidden()
    page.page.keyboard.press("Escape")
    expect(page.page.get_by_role("dialog")).to_have_count(0)
    expect(page.button("Privacy")).to_be_focused()
