"""Other words, other answers, and more of the same answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ANSWER_MS, ChatPage

TOKENS_PER_SECOND = 25
SETTINGS = {"CORRAL_TEMPERATURE": "0"}
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
FIRST, SECOND, OTHER = "What is Corral?", "What is the pool?", "How do I install it?"


def expect_versions(page: ChatPage, *wanted: str) -> None:
    shown = page.page.locator(".versions:not([hidden]) .versions__count")
    expect(shown).to_have_text(list(wanted))


def test_an_edited_question_is_a_new_version(page: ChatPage) -> None:
    page.ask(FIRST)
    page.wait_for_end()
    page.ask(SECOND)
    before = page.wait_for_end()
    page.edit(SECOND, OTHER)
    expect_versions(page)  # No switch while an answer is written.
    assert page.wait_for_end() != before
    expect_versions(page, "2/2")
    assert page.questions == [FIRST, OTHER]
    page.button("Previous version").press("Enter")
    expect_versions(page, "1/2")
    assert page.questions == [FIRST, SECOND]
    assert page.answer == before
    # The focus is where it was, so that the same key goes on.
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")
    expect_versions(page, "2/2")
    page.page.reload()
    expect_versions(page, "2/2")
    assert page.questions == [FIRST, OTHER]


def test_editing_an_early_question_starts_another_path(page: ChatPage) -> None:
    page.ask(FIRST)
    page.wait_for_end()
    page.ask(SECOND)
    page.wait_for_end()
    page.edit(FIRST, OTHER)
    page.wait_for_end()
    assert page.questions == [OTHER]
    page.button("Previous version").click()
    expect(page.turns).to_have_count(2)
    assert page.questions == [FIRST, SECOND]


def test_escape_leaves_the_question_and_keeps_what_was_typed(page: ChatPage) -> None:
    page.ask(FIRST)
    page.wait_for_end()
    page.box.press("ArrowUp")
    expect(page.editor).to_be_focused()
    expect(page.editor).to_have_value(FIRST)
    page.editor.fill("not finished yet")
    page.page.keyboard.press("Escape")
    expect(page.editor).to_have_count(0)
    assert page.questions == [FIRST]
    expect(page.button("Edit")).to_be_focused()
    page.page.reload()
    page.wait_until_online()
    page.page.locator(".question__text").hover()
    page.button("Edit").click()
    expect(page.editor).to_have_value("not finished yet")


def test_the_arrow_does_nothing_while_something_is_written(page: ChatPage) -> None:
    page.ask(FIRST)
    page.wait_for_end()
    page.write("a draft")
    page.box.press("ArrowUp")
    expect(page.editor).to_have_count(0)


def test_an_edit_during_the_answer_stops_it_first(page: ChatPage) -> None:
    page.ask("Tell me a story")
    page.wait_for_text(10)
    page.edit("Tell me a story", FIRST)
    page.wait_for_end()
    expect_versions(page, "2/2")
    assert page.questions == [FIRST]
    page.button("Previous version").click()
    expect(page.turns.last.locator(".answer__note")).to_have_text("Stopped")


def test_any_answer_can_be_asked_for_again(page: ChatPage) -> None:
    page.ask(FIRST)
    page.wait_for_end()
    page.ask(SECOND)
    page.wait_for_end()
    first = page.turns.first
    first.hover()
    first.get_by_role("button", name="Answer again").click()
    expect(page.turns).to_have_count(1)
    page.wait_for_end()
    expect_versions(page, "2/2")
    page.button("Previous version").click()
    expect(page.turns).to_have_count(2)
    expect_versions(page, "1/2")


def test_a_stopped_answer_goes_on_where_it_stopped(page: ChatPage) -> None:
    page.ask("Tell me a story")
    page.wait_for_text(100)
    page.stop()
    begun = page.wait_for_end()
    page.page.reload()
    expect(page.turns.last.locator(".answer__text")).to_have_text(begun)
    page.button("Continue").press("Enter")
    expect(page.button("Stop")).to_be_visible()
    expect(page.box).to_be_focused()
    page.wait_for_text(len(begun) + 10)
    whole = page.wait_for_end()
    assert whole.startswith(begun.rstrip())
    expect(page.button("Continue")).to_be_hidden(timeout=ANSWER_MS)
    page.page.reload()
    expect(page.turns.last.locator(".answer__text")).to_have_text(whole)
    expect_versions(page)


def test_another_tab_shows_the_same_path(page: ChatPage) -> None:
    page.ask(FIRST)
    page.wait_for_end()
    other = page.second_tab(page.conversation_path)
    expect(other.page.locator(".question__text")).to_have_text(FIRST)
    page.edit(FIRST, SECOND)
    expect(other.page.locator(".question__text")).to_have_text(SECOND)
    text = page.wait_for_end()
    other.wait_for_end()
    expect_versions(other, "2/2")
    assert other.answer == text
    other.button("Previous version").click()
    expect(page.page.locator(".question__text")).to_have_text(FIRST)
    expect_versions(page, "1/2")


def test_an_edit_written_offline_is_sent_afterwards(page: ChatPage) -> None:
    page.ask(FIRST)
    page.wait_for_end()
    page.context.set_offline(True)
    page.edit(FIRST, SECOND)
    expect(page.page.locator(".question--pending")).to_have_count(1)
    page.context.set_offline(False)
    page.wait_for_end()
    expect_versions(page, "2/2")
    assert page.questions == [SECOND]


def test_an_edit_taken_back_offline_leaves_the_question(page: ChatPage) -> None:
    page.ask(FIRST)
    text = page.wait_for_end()
    page.context.set_offline(True)
    page.edit(FIRST, SECOND)
    page.page.wait_for_timeout(600)  # A second click of a double click does not stop.
    page.stop()
    expect(page.page.locator(".question__text")).to_have_text(FIRST)
    expect(page.box).to_have_value(SECOND)
    assert page.answer == text
    page.context.set_offline(False)
    page.wait_until_online()
