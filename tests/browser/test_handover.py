"""From the chat on a website to the full page, in a real browser."""

from __future__ import annotations

import json
import os
import re
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewVisitor
from tests.browser.widget.conftest import Shop, shop  # noqa: F401
from tests.live import LiveServer

SITE = {"accent": "#8a1c4a"}
pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
FACTS = {"Product": "Green tea", "Price": "4.50"}


class WebsiteVisitor:
    """Somebody who wrote on the website: has a token, and a conversation."""

    def __init__(self, shop: Shop) -> None:  # noqa: F811
        self.shop = shop
        self.token = ""
        _, frames = self.call("chat/frames?site=" + shop.key, send("How is tea made?"))
        ack = next(frame for frame in frames if frame["type"] == "message.ack")
        self.token, self.conversation = ack["token"], ack["conversation"]

    def call(self, path: str, body: Any) -> tuple[int, Any]:
        headers = {"Origin": self.shop.host.origin, "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(
            f"{self.shop.chat_url}/api/v1/{path}", json.dumps(body).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)

    def address(self) -> str:
        """A fresh way to the full page."""
        body = {"conversation": self.conversation}
        return str(self.call("visitor/handover", body)[1]["url"])


def send(text: str) -> dict[str, Any]:
    ids = {"cid": str(uuid.uuid4()), "gen": str(uuid.uuid4())}
    return {"type": "message.send", "text": text, "context": FACTS, **ids}


@pytest.fixture
def visitor(shop: Shop) -> WebsiteVisitor:  # noqa: F811
    return WebsiteVisitor(shop)


def go(page: ChatPage, address: str) -> None:
    page.page.goto(address)
    page.wait_until_online()


def test_the_conversation_goes_on_on_the_page(
    new_visitor: NewVisitor,
    visitor: WebsiteVisitor,
    shop: Shop,  # noqa: F811
    server: LiveServer,
) -> None:
    page = new_visitor(color_scheme="light")
    page.ask("My own question?")
    page.wait_for_end()
    sent: list[str] = []
    page.page.on("request", lambda request: sent.append(request.url))
    address = visitor.address()
    code = address.partition("#")[2]
    go(page, address)
    assert re.search(rf"/\?site={shop.key}&c={visitor.conversation}$", page.page.url)
    assert not [url for url in sent if code in url.partition("#")[0]]
    assert code not in page.page.evaluate("location.href + document.referrer")
    assert code not in server.log_text(10**6)
    expect(page.page.locator(".question__text")).to_have_text("How is tea made?")
    facts = "Sent with your question: Product: Green tea, Price: 4.50"
    expect(page.page.locator(".question__facts")).to_have_text(facts)
    expect(page.page.locator(".header__name")).to_contain_text("Tea Assistant")
    expect(page.page.locator(".header__label")).to_have_text("AI assistant")
    expect(page.history).to_have_count(1)
    page.wait_for_end()
    page.ask("And black tea?")
    expect(page.turns).to_have_count(2)
    page.wait_for_end()
    take(page.page, "handover_light")
    page.page.reload()
    page.wait_until_online()
    expect(page.turns).to_have_count(2)
    expect(page.page.locator(".question__facts").first).to_have_text(facts)
    page.page.locator("#new-chat").click()
    expect(page.page.get_by_text("What would you like to know about tea?")).to_be_visible()
    expect(page.page.get_by_role("button", name="What is in stock?")).to_be_visible()
    assert page.conversation_path == f"/?site={shop.key}"
    page.write("A draft for the shop")
    page.open("/")
    expect(page.box).to_have_value("")
    expect(page.history).to_have_count(1)
    expect(page.history).to_contain_text("My own question?")
    page.open(f"/?site={shop.key}")
    expect(page.box).to_have_value("A draft for the shop")
    page.write("")
    # Back through the history there is no code either.
    page.page.goto(address)
    expect(page.page.get_by_role("heading")).to_have_text("The chat is not open here any more")
    assert code not in page.page.url
    page.problems.clear()  # The browser's own line about the status 403.


def test_the_page_of_a_site_in_the_dark_and_on_a_phone(
    new_visitor: NewVisitor, visitor: WebsiteVisitor
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = new_visitor(color_scheme="dark", **phone)
    go(page, visitor.address())
    page.wait_for_end()
    accent = "getComputedStyle(document.querySelector('.header__label')).color"
    assert "oklch" in page.page.evaluate(accent)
    take(page.page, "handover_phone_dark")
    report = Axe().run(page.page)
    assert report.violations_count == 0, report.generate_report()


def take(page: Page, name: str) -> None:
    """Keep a picture where CORRAL_SCREENSHOTS says."""
    folder = os.environ.get("CORRAL_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")
