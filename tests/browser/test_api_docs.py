"""The page that shows the description of the API: from this server alone, on every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.api.openapi.described import Tag
from tests.browser.staff_pages import staff_pages
from tests.live import LiveServer
from tests.staff_session import staff_session

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

DOCS = "/api/v1/docs/"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
OpenDocs = Callable[..., Page]


@pytest.fixture
def open_docs(browser: Browser, server: LiveServer) -> Iterator[OpenDocs]:
    """Opens the page; at the end it may have reported no problem, of its rules or another."""
    session = staff_session(server)
    with staff_pages(browser, server.url, session) as open_page:

        def make(*, is_staff: bool = False, **options: Any) -> Page:
            page = open_page(DOCS, session=None if is_staff else "", **options)
            expect(page.locator(".opblock-tag-section")).to_have_count(len(Tag), timeout=30_000)
            return page

        yield make


def test_it_shows_every_chapter_and_asks_nobody_else(
    open_docs: OpenDocs, server: LiveServer
) -> None:
    docs = open_docs(viewport=WIDE)
    names = docs.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert names and all(name.startswith(server.url) for name in names)
    expect(docs.locator("body")).to_contain_text("Pool actions")


def test_something_is_tried_out_as_staff(open_docs: OpenDocs) -> None:
    docs = open_docs(is_staff=True, viewport=WIDE)
    block = docs.locator("#operations-Pool_actions-pool_banner")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.locator("textarea.body-param__text").fill('{"text": "We move on Monday."}')
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table")
    expect(answer).to_contain_text("Visitors see: We move on Monday.", timeout=15_000)


def test_it_fits_a_phone_and_follows_the_dark(open_docs: OpenDocs) -> None:
    docs = open_docs(viewport=PHONE, color_scheme="dark")
    width = docs.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    body = docs.locator("body")
    expect(body).to_have_css("background-color", "rgb(28, 32, 34)")
    docs.emulate_media(color_scheme="light")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
