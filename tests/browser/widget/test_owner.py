"""What the owner of a site chose: a notice before the first message, a colour, the page's title."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.widget.conftest import NewHostVisitor, Shop
from tests.browser.widget.fake_chat import FakeChat
from tests.browser.widget.host_page import page_html

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

# Neither white nor black text is easy to read on every part of this one.
SITE = {"needs_consent": True, "reads_page": True, "accent": "#ffd600"}


def test_nothing_is_sent_before_the_notice_is_agreed_to(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    page.visit()
    page.open_chat()
    page.wait_until_online()
    page.ask("What is in stock?")
    notice = page.panel.get_by_text("We keep what you write.")
    expect(notice).to_be_visible()
    expect(page.box).to_have_value("What is in stock?")
    assert chat.frames("message.send") == []
    assert Axe().run(page.page).response["violations"] == []
    page.panel.get_by_role("button", name="Not now").click()
    expect(notice).to_be_hidden()
    expect(page.box).to_have_value("What is in stock?")
    page.box.press("Enter")
    page.panel.get_by_role("button", name="Agree and send").click()
    expect(page.turns).to_have_count(1)
    expect(page.box).to_have_value("")
    # Once is enough.
    chat.start()
    chat.tell("gen.delta", off=0, text="Tea")
    chat.finish(3)
    page.ask("And black tea?")
    expect(page.turns).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_colour_can_be_read(new_host_visitor: NewHostVisitor, scheme: str) -> None:
    page = new_host_visitor(None, color_scheme=scheme)
    FakeChat(page.page)
    page.visit()
    page.open_chat()
    page.box.fill("Hello")
    page.panel.get_by_role("button", name="Privacy", exact=True).click()
    assert Axe().run(page.page).response["violations"] == []
    on_accent = page.launcher.evaluate("node => getComputedStyle(node).color")
    assert on_accent.startswith("color(xyz-d65 -")  # black


def test_the_title_is_shown_before_it_is_sent(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    page.visit()
    page.open_chat()
    page.wait_until_online()
    expect(page.panel.locator(".context")).to_contain_text("A shop")
    assert chat.frames("hello")[0]["page"] == {"path": "/", "title": "A shop"}
    page.panel.get_by_role("button", name="Do not send this").click()
    page.ask("Hello")
    expect(page.turns).to_have_count(0)
    page.panel.get_by_role("button", name="Agree and send").click()
    expect(page.turns).to_have_count(1)
    assert "page" not in chat.frames("hello")[-1]


def test_a_page_can_theme_it(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    style = (
        "<style>html{font-size:10px} button{background:red!important}"
        "corral-chat{--corral-accent:#123456;--corral-bg:rgb(1, 2, 3)}"
        "corral-chat::part(header){border:0}</style>"
    )
    shop.serve("/themed", page_html(head=style, body=shop.tag), policy="")
    page = new_host_visitor(None)
    FakeChat(page.page)
    page.visit("/themed")
    page.open_chat()
    look = "node => [getComputedStyle(node).backgroundColor, getComputedStyle(node).fontSize]"
    assert page.panel.evaluate(look) == ["rgb(1, 2, 3)", "16px"]
    colour = page.launcher.evaluate("node => getComputedStyle(node).backgroundColor")
    assert colour == "rgb(18, 52, 86)"
    border = page.panel.locator("header").evaluate("node => getComputedStyle(node).borderWidth")
    assert border == "0px"
