"""Past conversations: the list, names, deletion with undo, drafts per conversation."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def ask_two(page: ChatPage) -> None:
    page.ask("What is Corral?")
    page.wait_for_end()
    page.page.get_by_role("button", name="New chat").first.click()
    expect(page.page.get_by_role("heading", name="How can I help?")).to_be_visible()
    page.ask("What is the pool?")
    page.wait_for_end()
    expect(page.history).to_have_count(2)


def test_the_newest_conversation_comes_first_and_opens(page: ChatPage) -> None:
    ask_two(page)
    assert page.history.all_inner_texts() == ["What is the pool?", "What is Corral?"]
    expect(page.history.first.locator("a")).to_have_attribute("aria-current", "page")
    page.history.last.locator("a").click()
    expect(page.page.locator(".question__text")).to_have_text("What is Corral?")
    page.page.go_back()
    expect(page.page.locator(".question__text")).to_have_text("What is the pool?")


def test_rename(page: ChatPage) -> None:
    page.ask("What is Corral?")
    page.wait_for_end()
    page.history.first.hover()
    page.page.get_by_role("button", name="Rename What is Corral?").click()
    page.page.get_by_role("textbox", name="New name").fill("My notes")
    page.page.keyboard.press("Enter")
    expect(page.history.first).to_have_text("My notes")
    page.page.reload()
    expect(page.history.first).to_have_text("My notes")


def test_delete_can_be_undone(page: ChatPage) -> None:
    ask_two(page)
    page.history.first.hover()
    page.page.get_by_role("button", name="Delete What is the pool?").click()
    expect(page.history).to_have_count(1)
    expect(page.page.get_by_role("heading", name="How can I help?")).to_be_visible()
    page.page.get_by_role("button", name="Undo").click()
    expect(page.history).to_have_count(2)
    expect(page.page.locator(".question__text")).to_have_text("What is the pool?")
    page.page.reload()
    expect(page.history).to_have_count(2)


def test_delete_is_for_good_when_the_page_is_left(page: ChatPage) -> None:
    ask_two(page)
    page.history.last.hover()
    page.page.get_by_role("button", name="Delete What is Corral?").click()
    expect(page.history).to_have_count(1)
    page.page.reload()
    expect(page.history).to_have_count(1)
    expect(page.history.first).to_have_text("What is the pool?")


def test_each_conversation_keeps_its_draft(page: ChatPage) -> None:
    ask_two(page)
    page.write("not finished")
    page.history.last.locator("a").click()
    expect(page.box).to_have_value("")
    page.history.first.locator("a").click()
    expect(page.box).to_have_value("not finished")
    page.page.reload()
    expect(page.box).to_have_value("not finished")
