"""Every state of the page, looked at by axe-core in light and in dark, and used by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewVisitor
from tests.browser.stored_chat import answer, question, show
from tests.browser.test_markdown import RICH

TOKENS_PER_SECOND = 8
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SUGGESTIONS = ["How long do refunds take?", "Can I return a gift?"]


def empty(page: ChatPage) -> None:
    expect(page.page.get_by_role("heading", name="How can I help?")).to_be_visible()


def writing(page: ChatPage) -> None:
    page.ask("Tell me a story")
    page.wait_for_text(5)


def rich(page: ChatPage) -> None:
    versions = {"ids": ["a", "b"]}
    show(page, [question("What does it cost?", versions=versions), answer(RICH, is_approved=True)])
    page.button("Details").click()


def remarkable(page: ChatPage) -> None:
    marks = {"quality": "reduced", "trimmed_turns": 1, "suggestions": SUGGESTIONS}
    ended = {"reason": "length", "can_continue": True, "feedback": {"value": 1}}
    show(page, [question("One"), answer("1"), question("Two"), answer("It is", **marks, **ended)])
    expect(page.button("Continue")).to_be_visible()


def failed(page: ChatPage) -> None:
    error = {"code": "pool_lost", "text": ""}
    show(page, [question("One"), answer("It is", state="failed", error=error)])
    expect(page.button("Try again")).to_be_visible()


def editing(page: ChatPage) -> None:
    show(page, [question("What does it cost?"), answer("Five.")])
    page.box.press("ArrowUp")
    expect(page.editor).to_be_focused()


def complaining(page: ChatPage) -> None:
    show(page, [question("What does it cost?"), answer("Five.")])
    page.button("Bad answer").click()
    page.page.get_by_text("Not correct").click()


def privacy(page: ChatPage) -> None:
    page.button("Privacy").click()
    expect(page.page.get_by_text("Nothing is stored about you yet.")).to_be_visible()


def offline(page: ChatPage) -> None:
    # What is still being fetched then would fail, and say so.
    page.page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.ask("Is anybody there?")
    expect(page.page.locator("#bar")).to_be_visible()
    expect(page.page.locator(".answer__note")).to_have_text("Waiting to be sent")


STATES = (empty, writing, rich, remarkable, failed, editing, complaining, privacy, offline)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_visitor: NewVisitor, scheme: str) -> None:
    for state in STATES:
        # Without motion: a colour on its way to another one is no colour to judge.
        page = new_visitor(color_scheme=scheme, reduced_motion="reduce")
        state(page)
        check(page, state)
        if state is not offline:
            continue
        page.context.set_offline(False)
        page.wait_until_online()


def test_axe_finds_nothing_from_right_to_left_in_the_dark(new_visitor: NewVisitor) -> None:
    page = new_visitor(color_scheme="dark", reduced_motion="reduce", locale="ar")
    marks = {"quality": "reduced", "trimmed_turns": 1, "suggestions": SUGGESTIONS}
    told = {"context": {"Product": "Green tea"}}
    show(page, [question("Wie?", **told), answer(RICH), question("Two"), answer("It is", **marks)])
    assert page.page.evaluate("document.documentElement.dir") == "rtl"
    label = page.page.locator(".header__label")
    expect(label).to_have_text("مساعد ذكاء اصطناعي")
    for summary in page.page.locator(".access__summary").all():
        summary.click()
    check(page, rich)
    # A link's words, with the host it leads to, stay together whatever is written around them.
    expect(page.page.locator(".block a").first).to_have_css("unicode-bidi", "plaintext")
    page.page.locator("#privacy-open").click()
    expect(page.page.locator("#privacy-kept")).not_to_be_empty()
    check(page, privacy)


@pytest.mark.parametrize("state", [rich, remarkable, complaining])
def test_axe_finds_nothing_on_a_phone(
    new_visitor: NewVisitor, state: Callable[[ChatPage], None]
) -> None:
    page = new_visitor(**PHONE, reduced_motion="reduce")
    state(page)
    check(page, state)


def check(page: ChatPage, state: Callable[[ChatPage], None]) -> None:
    results = Axe().run(page.page)
    assert results.violations_count == 0, f"{state.__name__}: {results.generate_report()}"


def test_every_tool_is_reached_and_used_with_the_keyboard(new_visitor: NewVisitor) -> None:
    page = new_visitor()
    show(page, [question("What does it cost?"), answer(RICH)])
    page.page.locator("#transcript").focus()
    names = []
    for _ in range(14):
        page.page.keyboard.press("Tab")
        names.append(page.page.evaluate(NAME))
    wanted = ["Edit", "the list", "Copy code", "python", "Table", "Copy", "Answer again"]
    wanted += ["Good answer", "Bad answer", "Details", "Your message"]
    assert [name for name in names if name in wanted] == wanted
    page.button("Bad answer").press("Enter")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Space")
    expect(page.page.get_by_role("radio", name="Not correct")).to_be_checked()
    page.page.keyboard.press("Escape")
    expect(page.button("Bad answer")).to_be_focused()
    expect(page.button("Send feedback")).to_be_hidden()


NAME = """
() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim()
"""
