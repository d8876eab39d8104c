"""The page in German and Arabic: every word, the direction, and the menu that changes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polib
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ANSWER_MS, WATCH_CSP, ChatPage
from tests.live import LiveServer
from tests.project_files import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1200, "height": 750}}
FIRST = {
    "de": ("Wie kann ich helfen?", "KI-Assistent", "die sich irren kann."),
    "ar": ("كيف يمكنني مساعدتك؟", "مساعد ذكاء اصطناعي", "وقد يخطئ."),
}
# All the page says by itself: texts outside what was asked and answered, and names of elements.
WORDS_OF_PAGE = """() => {
  const isTalk = (node) => node.closest(".question__text, .answer__text, .history__link, [lang=en],"
    + " script, style");
  const words = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    if (!isTalk(walk.currentNode.parentElement)) words.push(walk.currentNode.data.trim());
  }
  for (const node of document.body.querySelectorAll("*")) {
    if (isTalk(node)) continue;
    for (const name of ["aria-label", "placeholder", "title"]) {
      if (node.hasAttribute(name)) words.push(node.getAttribute(name));
    }
  }
  return words.filter(Boolean);
}"""


class Visitors:
    """Opens the page with the wishes of browsers; collects what the pages complain about."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.pages: list[ChatPage] = []

    def open(self, locale: str, path: str = "/", **options: Any) -> ChatPage:
        context = self.browser.new_context(locale=locale, **(DESKTOP | options))
        context.add_init_script(WATCH_CSP)
        page = ChatPage(context, self.url, [])
        self.pages.append(page)
        page.page.goto(self.url + path)
        wait_until_online(page)
        return page


@pytest.fixture
def visitors(browser: Browser, server: LiveServer) -> Any:
    opened = Visitors(browser, server.url)
    yield opened
    problems = [problem for page in opened.pages for problem in page.problems]
    for page in opened.pages:
        page.close()
    assert problems == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures go."""
    folder = Path(os.environ.get("CORRAL_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def wait_until_online(page: ChatPage) -> None:
    """In any language."""
    expect(page.page.locator("#status")).to_have_attribute("data-state", "ok", timeout=ANSWER_MS)


def ask(page: ChatPage, text: str) -> None:
    before = page.turns.count()
    page.page.locator("#composer-text").fill(text)
    page.page.locator("#composer-text").press("Enter")
    expect(page.turns).to_have_count(before + 1)
    page.wait_for_end()


def english_words(language: str) -> set[str]:
    """Texts of the catalogs that read differently in this language."""
    paths = (ROOT / "locale" / language / "LC_MESSAGES").glob("*.po")
    return {
        entry.msgid
        for path in paths
        for entry in polib.pofile(str(path))
        if entry.msgid != entry.msgstr and "%(" not in entry.msgid
    }


def take(page: ChatPage, path: Path) -> None:
    page.page.mouse.move(0, 0)
    page.page.evaluate("document.activeElement.blur()")
    page.page.wait_for_timeout(400)
    page.page.screenshot(path=path)


@pytest.mark.parametrize(("locale", "language"), [("de-AT", "de"), ("ar-EG", "ar")])
def test_every_word_is_in_the_browsers_language(
    visitors: Visitors, pictures: Path, locale: str, language: str
) -> None:
    page = visitors.open(locale, color_scheme="light")
    html = page.page.locator("html")
    expect(html).to_have_attribute("lang", language)
    expect(html).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    # Whom one talks to stands there before the first message.
    greeting, label, warning = FIRST[language]
    expect(page.page.locator(".empty__title")).to_have_text(greeting)
    expect(page.page.locator(".header__label")).to_have_text(label)
    expect(page.page.locator(".header__label")).to_be_visible()
    expect(page.page.locator(".composer__legal")).to_contain_text(warning)
    take(page, pictures / f"{language}-start.png")
    ask(page, "What is Corral?")
    ask(page, "Tell me a story")
    expect(page.history).to_have_count(1)
    page.page.locator(".turn--last .answer__actions [aria-expanded]").first.click()
    take(page, pictures / f"{language}-desktop.png")
    words = set(page.page.evaluate(WORDS_OF_PAGE))
    assert len(words) > 20
    assert words & english_words(language) == set()


@pytest.mark.parametrize(("locale", "language"), [("de", "de"), ("ar", "ar")])
def test_phone_in_the_dark(visitors: Visitors, pictures: Path, locale: str, language: str) -> None:
    page = visitors.open(locale, color_scheme="dark", **PHONE)
    take(page, pictures / f"{language}-phone-start.png")
    ask(page, "What is Corral?")
    take(page, pictures / f"{language}-phone.png")
    page.page.locator("#menu").tap()
    expect(page.history.first).to_be_visible()
    take(page, pictures / f"{language}-phone-menu.png")
    box = page.page.locator("#sidebar").bounding_box()
    assert box
    # The drawer opens where reading begins.
    near = box["x"] if language == "de" else 390 - box["x"] - box["width"]
    assert abs(near) < 1


@pytest.mark.parametrize("locale", ["de", "ar"])
@pytest.mark.parametrize("width", [320, 1200])
def test_nothing_is_wider_than_the_window(visitors: Visitors, locale: str, width: int) -> None:
    page = visitors.open(locale, viewport={"width": width, "height": 700})
    assert page.width_of_content <= width
    ask(page, "What is " + "Corral" * 40 + "?")
    assert page.width_of_content <= width


def test_right_to_left_is_a_mirror(visitors: Visitors) -> None:
    page = visitors.open("ar")
    ask(page, "What is Corral?")

    def centre(selector: str) -> float:
        box = page.page.locator(selector).first.bounding_box()
        assert box
        return box["x"] + box["width"] / 2

    assert centre("#sidebar") > 600 > centre("#main")
    assert centre("#composer-button") < centre("#composer-text")
    assert centre(".question__text") < centre(".answer__text")
    # What was written in English still runs from left to right.
    direction = page.page.locator(".question__text").evaluate("n => getComputedStyle(n).direction")
    assert direction == "ltr"


def test_the_menu_changes_the_language_and_keeps_the_conversation(visitors: Visitors) -> None:
    page = visitors.open("en-GB")
    expect(page.page.locator("html")).to_have_attribute("lang", "en")
    ask(page, "What is Corral?")
    path, answer = page.conversation_path, page.answer
    assert path.startswith("/?c=")
    page.page.get_by_label("Language").select_option(label="Deutsch")
    expect(page.page.locator("html")).to_have_attribute("lang", "de")
    wait_until_online(page)
    assert page.conversation_path == path
    expect(page.turns.last.locator(".answer__text")).to_have_text(answer)
    page.page.goto(page.url + "/")
    wait_until_online(page)
    expect(page.page.get_by_role("heading", name="Wie kann ich helfen?")).to_be_visible()
    page.page.get_by_label("Sprache").select_option("en")
    expect(page.page.get_by_role("heading", name="How can I help?")).to_be_visible()
