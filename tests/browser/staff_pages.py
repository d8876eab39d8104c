"""Pages of the site as a member of staff has them open, each in a browser profile of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chat_page import WATCH_CSP

OpenPage = Callable[..., Page]


@contextmanager
def staff_pages(browser: Browser, url: str, session: str) -> Iterator[OpenPage]:
    """Yield ``open(path, session=..., **options of the profile)``.

    ``session`` is the value of the cookie, "" for somebody who is not signed in. At the end no page
    may have reported a problem, in the console or against the policy.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []
    usual = session

    def open_page(path: str, *, session: str | None = None, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.add_init_script(WATCH_CSP)
        if value := usual if session is None else session:
            cookie: Any = {"name": "sessionid", "value": value, "url": url}
            context.add_cookies([cookie])
        page = context.new_page()
        page.on(
            "console", lambda message: message.type == "error" and problems.append(message.text)
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{url}{path}")
        return page

    try:
        yield open_page
    finally:
        for context in contexts:
            context.close()
    assert problems == []
