"""A page of which a part did not arrive is loaded again, and not for ever."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route

from tests.browser.chat_page import ChatPage
from tests.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
PART = "**/js/drawer*.js"


def test_a_part_that_comes_late_is_waited_for(browser: Browser, server: LiveServer) -> None:
    page = ChatPage(browser.new_context(), server.url, [])
    refused: list[str] = []

    def refuse_twice(route: Route) -> None:
        if len(refused) < 2:
            refused.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    try:
        page.page.route(PART, refuse_twice)
        page.open("/")
        assert len(refused) == 2
        assert page.page.evaluate("sessionStorage.getItem('corral:load-again')") is None
    finally:
        page.close()


def test_it_gives_up(browser: Browser, server: LiveServer) -> None:
    page = ChatPage(browser.new_context(), server.url, [])
    num_loads: list[str] = []
    try:
        page.page.on("domcontentloaded", lambda: num_loads.append(page.page.url))
        page.page.route(PART, lambda route: route.abort())
        # As if it had been tried so often before.
        page.page.add_init_script("sessionStorage.setItem('corral:load-again', '8')")
        page.page.goto(server.url)
        page.page.wait_for_timeout(2500)
        assert len(num_loads) == 1
    finally:
        page.close()
