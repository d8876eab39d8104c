"""The status page as people use it: it lives, obeys keys, copies, and fits every screen."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat_page import ChatPage
from tests.browser.staff_pages import staff_pages
from tests.live import LiveServer
from tests.staff_session import staff_session

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

TOKENS_PER_SECOND = 5.0
SETTINGS = {"CORRAL_MAX_INSTANCES": "2"}
WIDE, PHONE = {"width": 1100, "height": 800}, {"width": 390, "height": 844}
OpenPool = Callable[..., Page]


@pytest.fixture(scope="module")
def session(server: LiveServer) -> str:
    """A member of staff who is signed in."""
    return staff_session(server)


@pytest.fixture
def open_pool(browser: Browser, server: LiveServer, session: str) -> Iterator[OpenPool]:
    """Opens the page; at the end none may have reported a problem."""
    with staff_pages(browser, server.url, session) as open_page:

        def make(*, is_staff: bool = True, **options: Any) -> Page:
            value = None if is_staff else ""
            return open_page("/pool/", session=value, **{"viewport": WIDE, **options})

        yield make


def test_the_table_lives_and_is_what_the_text_says(
    open_pool: OpenPool, page: ChatPage, server: LiveServer
) -> None:
    pool = open_pool(permissions=["clipboard-read", "clipboard-write"])
    expect(pool.locator("[data-pool-instances] tr[data-state=idle]")).to_have_count(2)
    page.ask("Tell me a long story.")
    busy = pool.locator("[data-pool-instances] tr[data-state=decode]")
    expect(busy).to_have_count(1, timeout=10_000)
    tokens = busy.locator("td.number").first
    expect(tokens).to_have_text(re.compile(r"^[1-9]"))
    before = tokens.inner_text()
    expect(tokens).not_to_have_text(before, timeout=5_000)
    expect(pool.locator("[data-pool-age]")).to_have_text(re.compile(r"^[01]s ago every 1s$"))
    expect(pool.locator("[data-pool-spark]")).not_to_be_empty()
    pool.click("[data-pool-copy]")
    expect(pool.locator("[data-pool-copy]")).to_have_text("Copied")
    copied = pool.evaluate("navigator.clipboard.readText()")
    lines = pool.request.get(f"{server.url}/pool/?format=text").text().split("\n")
    assert copied.split("\n")[:2] == lines[:2]
    assert " #  state   request prompt" in copied and "decode" in copied
    # What the script has written is what the server would have.
    live, fresh = (
        page.locator("[data-pool-live]").evaluate(
            "node => [...node.querySelectorAll('tr')].map((row) => [...row.cells].map("
            "(cell) => cell.tagName + cell.className + cell.colSpan))"
        )
        for page in (pool, open_pool())
    )
    assert live == fresh


def test_keys_steer_it(open_pool: OpenPool) -> None:
    pool = open_pool()
    age = pool.locator("[data-pool-age]")
    expect(age).to_have_text(re.compile("every 1s"))
    pool.keyboard.press("-")
    expect(age).to_have_text(re.compile("every 2s"))
    pool.keyboard.press("+")
    expect(age).to_have_text(re.compile("every 1s"))
    pool.keyboard.press("p")
    expect(age).to_have_text(re.compile("^paused"))
    expect(pool.locator("[data-pool-pause]")).to_have_attribute("aria-pressed", "true")
    pool.keyboard.press("p")
    expect(age).to_have_text(re.compile("every 1s"))
    pool.keyboard.press("?")
    expect(pool.get_by_role("dialog")).to_be_visible()
    pool.keyboard.press("d")
    pool.keyboard.press("Escape")
    expect(pool.get_by_role("dialog")).to_be_hidden()
    pool.keyboard.press("d")
    pool.wait_for_url(re.compile("/actions/drain/"))
    expect(pool.locator("#content h1").first).to_be_visible()


def test_a_pool_that_is_away_is_seen_and_comes_back(
    open_pool: OpenPool, server: LiveServer
) -> None:
    """It hangs; one that dies may be there again before anybody has looked."""
    pool = open_pool()
    head = pool.locator("[data-pool-head]")
    expect(head).to_have_attribute("data-state", "ready")
    expect(pool.locator("[data-pool-age]")).to_have_text(re.compile("ago every 1s"))
    pid = server.pool_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        expect(head).not_to_have_attribute("data-state", "ready", timeout=10_000)
        expect(pool.locator("[data-pool-reason]")).to_be_visible()
    finally:
        os.kill(pid, signal.SIGCONT)
    expect(head).to_have_attribute("data-state", "ready", timeout=20_000)


def test_without_events_it_asks_again(open_pool: OpenPool, browser: Browser) -> None:
    pool = open_pool()
    pool.route("**/pool/events*", lambda route: route.fulfill(status=204))
    with pool.expect_response(re.compile("format=part"), timeout=10_000):
        pool.reload()
    expect(pool.locator("[data-pool-head]")).to_have_attribute("data-state", "ready")


@pytest.mark.parametrize("is_staff", [True, False])
@pytest.mark.parametrize(
    "look", [{"viewport": WIDE}, {"viewport": PHONE}, {"viewport": PHONE, "color_scheme": "dark"}]
)
def test_it_fits_every_screen(open_pool: OpenPool, look: dict[str, Any], is_staff: bool) -> None:
    pool = open_pool(is_staff=is_staff, **look)
    expect(pool.locator("[data-pool-text]")).to_contain_text("Available:")
    assert pool.locator("[data-pool-head]").count() == int(is_staff)
    assert pool.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    for region in pool.locator(".pool-scroll:visible").all():
        assert region.evaluate("node => node.scrollWidth - node.clientWidth") <= 0


def test_staff_who_sign_out_are_told(open_pool: OpenPool, server: LiveServer, session: str) -> None:
    """The last test of this file: it uses the session up."""
    pool = open_pool()
    expect(pool.locator("[data-pool-age]")).to_have_text(re.compile("every 1s"))
    admin = pool.context.new_page()
    admin.goto(f"{server.url}/admin/")
    admin.click("#logout-form button")
    expect(pool.locator("[data-pool-age]")).to_have_text(re.compile("signed out"), timeout=5_000)
