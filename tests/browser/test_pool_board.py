"""The operator's page on a real server: fresh by itself, accessible, in light, dark, on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.chat_page import WATCH_CSP, ChatPage
from tests.live import LiveServer

TOKENS_PER_SECOND = 10
pytestmark = [pytest.mark.browser, pytest.mark.e2e, pytest.mark.timeout(120)]

SETUP = """
import json, time
from dataclasses import asdict
from datetime import timedelta
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from ai_model.pool.pool_sample import PoolSample
from apps.ai_pool.models import PoolHistory, PoolMark
staff = get_user_model().objects.create_superuser("staff", "", "x")
session = SessionStore()
session[SESSION_KEY] = str(staff.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
session.save()
now = timezone.now().replace(second=0, microsecond=0)
rows = []
for back in range(50, 5, -1):
    at = now - timedelta(minutes=back)
    sample = PoolSample(
        unix_s=at.timestamp() + 59, seconds=60, num_samples=6, num_instances=4, num_done=back % 7,
        num_failed=back % 11 == 0, max_running=back % 4, max_waiting=back % 3, wait_p50_s=0.4,
        wait_p95_s=1.5, rss_bytes=4 * 10**8, weights_bytes=10**8, kv_bytes=10**7,
    )
    rows.append(PoolHistory(resolution_s=60, start=at, **asdict(sample)))
PoolHistory.objects.bulk_create(rows)
PoolMark.objects.create(kind="restart", at=now - timedelta(minutes=20), facts="{}", text="Again")
print(json.dumps({"session": session.session_key}))
"""
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def session(server: LiveServer) -> str:
    """The session of a member of staff; the pool has had a busy hour."""
    result = server.manage("shell", "-v", "0", "-c", SETUP)
    assert result.returncode == 0, result.stderr
    return str(json.loads(result.stdout.strip().splitlines()[-1])["session"])


@pytest.fixture
def open_board(browser: Browser, server: LiveServer, session: str) -> Iterator[Any]:
    """Opens the page; at the end no page may have reported a problem."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def make(query: str = "", **options: Any) -> Page:
        context = browser.new_context(**(LOOKS["light"] | options))
        contexts.append(context)
        context.add_init_script(WATCH_CSP)
        cookie = {"name": "sessionid", "value": session, "url": server.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.on(
            "console",
            lambda message: message.type == "error" and problems.append(message.text),
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{server.url}/admin/ai_pool/poolstatus/{query}")
        return page

    yield make
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize("look", LOOKS)
def test_it_fits_and_axe_finds_nothing(open_board: Any, look: str) -> None:
    page = open_board(**LOOKS[look], reduced_motion="reduce")
    expect(page.locator("#plot-line svg.plot-svg")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, "nothing sticks out at the side"
    page.locator("#plot-line summary").click()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_numbers_move_while_an_answer_is_written(
    open_board: Any, browser: Browser, server: LiveServer
) -> None:
    page = open_board()
    running = page.locator("[data-live=num_running]")
    expect(running).to_have_text("0 / 4")
    visitor = ChatPage.open_as_new_visitor(browser, server.url)
    try:
        visitor.ask("Tell me a story")
        expect(running).to_have_text("1 / 4")
        writing = page.locator("#instances td", has_text="decode")
        expect(writing).to_have_count(1)
        visitor.stop()
        expect(running).to_have_text("0 / 4")
    finally:
        visitor.close()


def test_pausing_stops_it_and_a_silent_stream_is_replaced(open_board: Any) -> None:
    page = open_board()
    age = page.locator("[data-age]")
    expect(age).to_have_text(re.compile("^updated [012] s ago$"))
    button = page.get_by_role("button", name="Pause")
    button.click()
    expect(age).to_have_text("paused")
    page.context.route("**/pool/events*", lambda route: route.abort())
    with page.expect_response("**/status.json") as asked:
        page.locator("[data-every]").fill("2")
        expect(page.locator("[data-every-text]")).to_have_text("2 s")
        page.context.route("**/pool/events*", lambda route: route.fulfill(status=204))
        button.click()
    assert asked.value.ok
    expect(age).to_have_text(re.compile("^updated [0123] s ago$"))
    page.context.route("**/status.json", lambda route: route.fulfill(status=204))
    expect(age).to_have_text(re.compile("^Data is [0-9]+ s old$"), timeout=15_000)
    expect(page.locator("[data-board]")).to_have_attribute("data-stale", "")


def test_values_under_the_pointer(open_board: Any) -> None:
    page = open_board("?period=1h")
    plot = page.locator("#plot-line")
    plot.scroll_into_view_if_needed()
    newest = plot.locator("[data-time]").inner_text()
    grid = plot.locator("[data-grid]").bounding_box()
    # The marks say what they are; the rest tells its numbers.
    page.mouse.move(grid["x"] + grid["width"] * (50.5 / 60), grid["y"] + 20)
    row = plot.locator("tbody tr").nth(50)
    expect(plot.locator("[data-time]")).to_have_text(row.locator("th").text_content())
    cells = row.locator("td").all_text_contents()
    assert plot.locator("[data-value]").all_inner_texts() == cells
    page.mouse.move(2, 2)
    expect(plot.locator("[data-time]")).to_have_text(newest)
