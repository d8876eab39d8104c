"""The page at every width and in both themes; writes the pictures the documentation shows.

``CORRAL_SCREENSHOTS=docs/screenshots`` keeps the pictures there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewVisitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MAX_PICTURE_BYTES = 150_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures go."""
    folder = Path(os.environ.get("CORRAL_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def take(page: ChatPage, path: Path) -> None:
    page.page.mouse.move(0, 0)
    page.page.evaluate("document.activeElement.blur()")
    page.page.wait_for_timeout(400)
    page.page.screenshot(path=path)
    assert 5_000 < path.stat().st_size < MAX_PICTURE_BYTES


def talk(page: ChatPage) -> None:
    for number, question in enumerate(("What is Corral?", "Tell me a story"), start=1):
        page.ask(question)
        expect(page.turns).to_have_count(number)
        page.wait_for_end()
    page.page.locator("#scroller").evaluate("node => { node.scrollTop = 0; }")


def brightness(page: ChatPage) -> int:
    """Sum of red, green and blue behind the text."""
    return page.page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)"
        ".reduce((sum, part) => sum + Number(part), 0)"
    )


def test_desktop(new_visitor: NewVisitor, pictures: Path) -> None:
    page = new_visitor(color_scheme="light", viewport={"width": 1200, "height": 750})
    assert brightness(page) > 600
    take(page, pictures / "start.png")
    talk(page)
    take(page, pictures / "desktop.png")


def test_dark(new_visitor: NewVisitor, pictures: Path) -> None:
    page = new_visitor(color_scheme="dark", viewport={"width": 1200, "height": 750})
    assert brightness(page) < 150
    talk(page)
    take(page, pictures / "dark.png")


def test_the_theme_can_be_chosen_and_is_remembered(page: ChatPage) -> None:
    before = brightness(page)
    page.page.get_by_role("radio", name="Dark").check()
    assert brightness(page) < 150 < before
    page.page.reload()
    assert brightness(page) < 150
    page.page.get_by_role("radio", name="Auto").check()
    assert brightness(page) == before


def test_phone(new_visitor: NewVisitor, pictures: Path) -> None:
    page = new_visitor(color_scheme="light", **PHONE)
    talk(page)
    take(page, pictures / "phone.png")
    menu = page.page.get_by_role("button", name="Conversations", exact=True)
    menu.tap()
    expect(page.history.first).to_be_visible()
    page.page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(page.history.first).to_be_hidden()
    menu.tap()
    page.page.locator("#new-chat").tap()
    expect(page.page.get_by_role("heading", name="How can I help?")).to_be_visible()
    expect(page.page.locator("#sidebar")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 360, 768, 1920])
def test_nothing_is_wider_than_the_window(new_visitor: NewVisitor, width: int) -> None:
    page = new_visitor(viewport={"width": width, "height": 700})
    assert page.width_of_content <= width
    page.ask("What is " + "Corral" * 60 + "?")
    page.wait_for_end()
    assert page.width_of_content <= width


def test_a_calm_page_for_those_who_want_one(new_visitor: NewVisitor) -> None:
    page = new_visitor(reduced_motion="reduce", forced_colors="active")
    page.ask("What is Corral?")
    page.wait_for_end()
    assert page.page.evaluate("document.getAnimations().length") == 0
