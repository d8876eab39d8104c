"""Chromium, one paced server per test file, and a new visitor for every test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chat_page import ChatPage
from tests.live import LiveServer, live_server_process

CHROMIUM = Path(os.environ.get("CORRAL_CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
NewVisitor = Callable[..., ChatPage]


# Per file, not per session: while Playwright runs, this thread has a running event loop, which
# tests of coroutines elsewhere could not bear.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium; without one the tests skip, or fail where it is required."""
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM} (Debian: apt-get install chromium)"
        if os.environ.get("CORRAL_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield chromium
        finally:
            chromium.close()


@pytest.fixture(scope="module")
def server(browser: Browser, request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """A server of its own for a test file. A file that does something *during* an answer sets
    ``TOKENS_PER_SECOND``: at full speed the demo model is done at once. ``SETTINGS`` are further
    settings of the file's server."""
    pace = getattr(request.module, "TOKENS_PER_SECOND", 0.0)
    settings = getattr(request.module, "SETTINGS", {})
    with live_server_process(max_tok_s=pace, wait_for_model=True, **settings) as live:
        yield live


@pytest.fixture
def new_visitor(browser: Browser, server: LiveServer) -> Iterator[NewVisitor]:
    """Opens the page as somebody new; at the end no page may have reported a problem."""
    pages: list[ChatPage] = []

    def open_page(**context_options: Any) -> ChatPage:
        page = ChatPage.open_as_new_visitor(browser, server.url, **context_options)
        pages.append(page)
        return page

    yield open_page
    problems = [problem for page in pages for problem in page.problems]
    for page in pages:
        page.close()
    assert problems == []


@pytest.fixture
def page(new_visitor: NewVisitor) -> ChatPage:
    """The page as a new visitor sees it on a desktop."""
    return new_visitor()
