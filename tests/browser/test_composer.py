"""Writing: keyboard alone, line breaks, the limit, and a second question during an answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
TOKENS_PER_SECOND = 15


def focused_name(page: ChatPage) -> str:
    return page.page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    )


def test_the_keyboard_is_enough(page: ChatPage) -> None:
    expect(page.box).to_be_focused()
    page.page.keyboard.type("Tell me a story")
    page.page.keyboard.press("Enter")
    page.wait_for_text(20)
    page.page.keyboard.press("Tab")
    assert focused_name(page) == "Stop"
    page.page.keyboard.press("Enter")
    page.wait_for_end()
    assert focused_name(page) == "Send"
    page.page.keyboard.press("Shift+Tab")
    expect(page.box).to_be_focused()


def test_a_starter_can_be_reached_and_pressed(page: ChatPage) -> None:
    for _ in range(30):
        page.page.keyboard.press("Shift+Tab")
        if focused_name(page).strip() == "What is Corral?":
            break
    page.page.keyboard.press("Enter")
    assert page.wait_for_end() != ""


def test_shift_enter_makes_a_line_and_lines_are_kept(page: ChatPage) -> None:
    page.page.keyboard.type("What is")
    page.page.keyboard.press("Shift+Enter")
    page.page.keyboard.type("Corral?")
    page.page.keyboard.press("Enter")
    page.wait_for_end()
    assert page.questions == ["What is\nCorral?"]


def test_a_message_over_the_limit_keeps_its_text(page: ChatPage) -> None:
    text = "x" * 4001
    page.ask(text)
    expect(page.notice).to_have_text("That's 1 character over the limit.")
    expect(page.box).to_have_value(text)
    assert page.questions == []
    page.page.reload()
    expect(page.box).to_have_value(text)
    page.page.keyboard.press("End")
    page.page.keyboard.press("Backspace")
    expect(page.page.get_by_role("button", name="Send")).to_have_attribute("aria-disabled", "false")


def test_a_question_during_an_answer_stays_in_the_box(page: ChatPage) -> None:
    page.ask("Tell me a story")
    page.wait_for_text()
    page.ask("What is Corral?")
    expect(page.notice).to_contain_text("I'm still on your last question.")
    expect(page.box).to_have_value("What is Corral?")
    page.wait_for_end()
    page.box.press("Enter")
    expect(page.turns).to_have_count(2)
    assert page.wait_for_end() != ""


def test_what_a_visitor_writes_is_never_markup(page: ChatPage) -> None:
    text = "<img src=x onerror=alert(1)> <b>bold</b>"
    page.ask(text)
    page.wait_for_end()
    assert page.questions == [text]
    assert page.page.locator("#transcript img, #transcript b, #history img").count() == 0
