"""The operator's page on a real server: fresh by itself, accessible, in light, dark, on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ChatPage
from tests.browser.staff_pages import staff_pages
from tests.live import LiveServer
from tests.staff_session import staff_session

TOKENS_PER_SECOND = 10
pytestmark = [pytest.mark.browser, pytest.mark.e2e, pytest.mark.timeout(120)]

SETUP = """
from dataclasses import asdict
from datetime import timedelta
from django.utils import timezone
from ai_model.pool.pool_sample import PoolSample
from apps.ai_chat.models import Conversation, Message
from apps.ai_pool.models import PoolHistory, PoolMark
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
talk = Conversation.objects.create(visitor="v", updated=now)
Message.objects.create(
    conversation=talk, number=1, role="assistant", state="failed", error_code="queue_timeout"
)
PoolMark.objects.create(kind="restart", at=now - timedelta(minutes=20), facts="{}", text="Again")
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
    return staff_session(server)


@pytest.fixture
def open_board(browser: Browser, server: LiveServer, session: str) -> Iterator[Any]:
    """Opens the page; at the end no page may have reported a problem."""
    with staff_pages(browser, server.url, session) as open_page:
        yield lambda query="", **options: open_page(
            f"/admin/ai_pool/poolstatus/{query}", **(LOOKS["light"] | options)
        )


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
    expect(age).to_have_text(re.compile("^Data is [0-9]+ s old$"), timeout=25_000)
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


def test_rows_of_those_who_wait_and_run_lead_to_their_actions(
    open_board: Any, browser: Browser, server: LiveServer
) -> None:
    """Rows that came after the page was made have their links as well."""
    page = open_board()
    cancel = page.locator("#instances a[data-cancel]:visible")
    expect(cancel).to_have_count(0)
    visitors = [ChatPage.open_as_new_visitor(browser, server.url) for _ in range(6)]
    try:
        for visitor in visitors:
            visitor.ask("Tell me a story")
        expect(cancel).to_have_count(4)
        # All of it was written by the script: nobody was there when the page was made.
        front = page.locator("#waiting tbody a", has_text="To the front")
        expect(front).to_have_count(2)
        for link, name in ((front.first, "front"), (cancel.first, "cancel")):
            address = re.compile(f"/actions/{name}/[?]generation=[0-9a-f-]{{36}}$")
            expect(link).to_have_attribute("href", address)
        cancel.first.click()
        expect(page.get_by_role("button", name="End it")).to_be_visible()
    finally:
        for visitor in visitors:
            visitor.close()
