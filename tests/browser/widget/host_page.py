"""A page of somebody else with the chat on it, as a test uses it."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.browser.chat_page import ANSWER_MS, WATCH_CSP

NARROW = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@contextmanager
def host_server() -> Iterator[HostServer]:
    """A web server of another origin, for pages that a test writes."""
    server = HostServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class HostServer(http.server.ThreadingHTTPServer):
    """Serves ``pages`` by path: HTML and the content security policy."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, str]] = {}
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: HostServer

    def do_GET(self) -> None:
        html, policy = self.server.pages.get(urlsplit(self.path).path, ("", ""))
        body = html.encode()
        self.send_response(200 if html else 204)
        kind = "text/javascript" if self.path.endswith(".js") else "text/html"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Be quiet."""


def strict_policy(chat_url: str) -> str:
    """Nothing but what the documentation asks a host page to allow, and Trusted Types."""
    socket = chat_url.replace("http", "ws", 1)
    return (
        f"default-src 'none'; script-src {chat_url}; connect-src {chat_url} {socket}; "
        "require-trusted-types-for 'script'"
    )


def page_html(
    head: str = "", body: str = "", *, language: str = "en", direction: str = "ltr"
) -> str:
    """A small page of a shop."""
    return (
        f'<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>A shop</title>{head}</head><body><main><h1>A shop</h1>"
        f'<p>We sell tea. <a href="#more">More</a></p></main>{body}</body></html>'
    )


class HostPage:
    """One tab with the chat in it. ``problems`` collects errors and violations, ``requests`` all
    addresses that were asked for."""

    def __init__(self, context: BrowserContext, origin: str, problems: list[str]) -> None:
        self.context = context
        self.origin = origin
        self.problems = problems
        self.requests: list[str] = []
        self.warnings: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))

    @classmethod
    def new_visitor(cls, browser: Browser, origin: str, **options: Any) -> HostPage:
        """A tab of a browser profile of its own."""
        context = browser.new_context(**({"viewport": {"width": 1200, "height": 800}} | options))
        context.add_init_script(WATCH_CSP)
        return cls(context, origin, [])

    def second_tab(self) -> HostPage:
        """Another tab of the same visitor."""
        return HostPage(self.context, self.origin, self.problems)

    def close(self) -> None:
        self.context.close()

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")
        elif message.type == "warning":
            self.warnings.append(message.text)

    # What a visitor does

    def visit(self, path: str = "/") -> None:
        self.page.goto(self.origin + path)

    def open_chat(self) -> None:
        self.launcher.click()
        expect(self.panel).to_be_visible()

    def ask(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def command(self, *command: object) -> Any:
        """Give a command to ``Corral`` and wait for what it promises."""
        return self.page.evaluate(f"() => Corral(...{json.dumps(command)})")

    # What a visitor sees

    @property
    def launcher(self) -> Locator:
        return self.page.locator("corral-chat .launcher")

    @property
    def panel(self) -> Locator:
        return self.page.locator("corral-chat dialog")

    @property
    def box(self) -> Locator:
        return self.panel.locator("textarea").first

    @property
    def turns(self) -> Locator:
        return self.panel.locator(".turn")

    @property
    def answer(self) -> str:
        return self.turns.last.locator(".answer > div:first-of-type").text_content() or ""

    def wait_until_online(self) -> None:
        state = self.panel.locator("[data-state]")
        expect(state).to_have_attribute("data-state", "ok", timeout=ANSWER_MS)

    def wait_for_text(self, num_chars: int = 1) -> str:
        """Wait until the newest answer shows so many characters."""
        self.page.wait_for_function(
            "num => ([...document.querySelector('corral-chat').shadowRoot.querySelectorAll("
            "'.answer > div:first-of-type')].at(-1)?.textContent ?? '').length >= num",
            arg=num_chars,
            timeout=ANSWER_MS,
        )
        return self.answer

    def wait_for_end(self) -> str:
        """Wait until the newest answer is over; returns its text."""
        expect(self.turns.last.locator(".answer")).to_contain_class(
            "answer--finished", timeout=ANSWER_MS
        )
        return self.answer
