"""Every state a visitor can meet, looked at by axe in light and dark."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from tests.browser.widget.conftest import NewHostVisitor, Shop
from tests.browser.widget.fake_chat import FakeChat
from tests.browser.widget.host_page import NARROW, HostPage, page_html

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

TEXT = "We have green tea.\n\nDelivery takes "
LINK = ["a", {"href": "https://tea.example/", "host": "tea.example"}, "our page"]
NODES = [
    ["p", "We have ", ["strong", "green"], " tea, see ", LINK],
    ["ul", ["li", "Sencha"], ["li", "Bancha"]],
    ["pre", {"lang": "py"}, "print('tea')"],
    ["table", ["thead", ["tr", ["th", "Tea"]]], ["tbody", ["tr", ["td", "Sencha"]]]],
]
Look = Callable[[str], None]


@pytest.fixture(scope="module")
def axe() -> Axe:
    return Axe()


def looker(page: HostPage, axe: Axe, name: str) -> Look:
    """Checks what is shown for everybody who reads differently, and keeps a picture of it."""
    folder = os.environ.get("CORRAL_SCREENSHOTS")

    def look(state: str) -> None:
        page.page.wait_for_timeout(200)
        if folder:
            page.page.screenshot(path=Path(folder) / f"widget-{name}-{state}.png")
        results = axe.run(page.page)
        violations = [
            (found["id"], [node["html"][:160] for node in found["nodes"]])
            for found in results.response["violations"]
        ]
        assert violations == [], state

    return look


def ask_for_consent(page: HostPage) -> None:
    """The owner of this page's site asks for agreement."""

    def answer(route: Route) -> None:
        config = route.fetch().json() | {"needs_consent": True, "reads_page": True}
        route.fulfill(json=config, headers={"Access-Control-Allow-Origin": "*"})

    page.page.route(re.compile(r"/w/sites/.*/config"), answer)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state(new_host_visitor: NewHostVisitor, axe: Axe, scheme: str) -> None:
    """One page goes through them all."""
    page = new_host_visitor(None, color_scheme=scheme)
    chat = FakeChat(page.page)
    look = looker(page, axe, scheme)
    ask_for_consent(page)
    page.visit()
    expect(page.launcher).to_be_visible()
    look("closed")
    page.open_chat()
    page.wait_until_online()
    look("empty")
    page.ask("What is in stock?")
    expect(page.panel.get_by_role("button", name="Agree and send")).to_be_focused()
    look("consent")
    page.panel.get_by_role("button", name="Agree and send").click()
    chat.moment("gen.queue", position=3, size=5, eta_s=[40, 70], basis="recent")
    expect(page.turns.last).to_contain_text("number 3 in line")
    look("queued")
    chat.moment("gen.progress", phase="load", done=0, total=0, cached=0, eta_s=12)
    expect(page.turns.last).to_contain_text("Starting up the model")
    look("loading")
    chat.start()
    chat.moment("gen.progress", phase="prompt", done=40, total=60, cached=0)
    expect(page.turns.last).to_contain_text("Reading your message \u00b7 66%")
    look("preparing")
    chat.tell("gen.delta", off=0, text=TEXT)
    chat.tell("gen.block", from_off=0, to_off=20, nodes=NODES)
    expect(page.turns.last.locator("li")).to_have_count(2)
    page.box.fill("x" * 1900)
    expect(page.panel.get_by_text("1,900 / 2,000")).to_be_visible()
    look("streaming")
    page.box.fill("")
    chat.moment("gen.stall", since_ms=4000)
    expect(page.turns.last).to_contain_text("Still working")
    look("stalled")
    chat.tell("gen.notice", code="context_trimmed", turns=0)
    chat.finish(len(TEXT))
    page.turns.last.get_by_role("button", name="Details").click()
    expect(page.turns.last).to_contain_text("waited 31 sec")
    look("done")
    page.ask("And black tea?")
    chat.start()
    chat.tell("gen.delta", off=0, text="Black")
    chat.tell("gen.error", code="pool_lost", text="", retryable=True, partial=True)
    expect(page.turns.last.get_by_role("button", name="Try again")).to_be_visible()
    look("failed")
    page.ask("And white tea?")
    chat.start()
    chat.tell("gen.delta", off=0, text="White tea")
    page.command("stop")
    expect(page.turns.last).to_contain_text("Stopping")
    look("stopping")
    chat.finish(9, "user_stop")
    expect(page.turns.last.get_by_role("button", name="Continue")).to_be_visible()
    look("stopped")
    page.ask("And red tea?")
    chat.tell("gen.notice", code="reduced", what="memory")
    chat.tell("gen.notice", code="approved")
    chat.tell("gen.notice", code="did_you_mean", items=["Is rooibos a tea?"])
    chat.tell("gen.delta", off=0, text="Red")
    chat.finish(3, "shutdown")
    expect(page.turns.last).to_contain_text("Interrupted")
    expect(page.turns.last.locator(".mark")).to_have_count(2)
    look("interrupted")
    page.panel.get_by_role("button", name="Privacy", exact=True).click()
    expect(page.panel.get_by_text("30 days")).to_be_visible()
    expect(page.panel.get_by_role("button", name="Open the full page")).to_be_visible()
    look("options")
    page.panel.get_by_role("button", name="Delete my chats").click()
    expect(page.panel.get_by_role("button", name="Keep them")).to_be_focused()
    look("delete")
    page.page.keyboard.press("Escape")
    expect(page.panel.get_by_text("30 days")).to_be_hidden()
    expect(page.panel).to_be_visible()
    page.context.set_offline(True)
    bar = page.panel.locator(".bar")
    expect(bar).to_contain_text("offline")
    page.ask("Is anybody there?")
    expect(page.turns.last.locator(".question--pending")).to_be_visible()
    look("offline")
    chat.welcome["site"] = {"key": "", "name": "", "is_on": False}
    page.context.set_offline(False)
    expect(page.panel.get_by_role("link", name="help@shop.example")).to_be_visible()
    expect(page.box).to_be_hidden()
    expect(page.turns.first).to_contain_text("What is in stock?")
    look("off")


def test_the_line_breaks_and_comes_back(new_host_visitor: NewHostVisitor, axe: Axe) -> None:
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    page.visit()
    page.open_chat()
    page.wait_until_online()
    page.context.set_offline(True)
    page.ask("Is anybody there?")
    page.context.set_offline(False)
    page.wait_until_online()
    expect(page.turns.last.locator(".question--pending")).to_have_count(0)
    sent = chat.frames("message.send")
    assert [frame["text"] for frame in sent] == ["Is anybody there?"]
    # Now the server itself is replaced: what has been written stays in view.
    chat.start()
    chat.tell("gen.delta", off=0, text="Here I am")
    expect(page.turns.last).to_contain_text("Here I am")
    chat.say("bye", code=4503, why="restart", retry_after_s=3)
    chat.hang_up(4503)
    bar = page.panel.locator(".bar")
    expect(bar).to_have_text("Updating. Back in about a minute.")
    expect(page.turns.last).to_contain_text("Here I am")
    looker(page, axe, "light")("updating")
    page.wait_until_online()
    expect(bar).to_be_hidden()
    assert chat.frames("hello")[-1]["token"] == "token-of-a-visitor"
    assert chat.frames("hello")[-1]["resume"][0]["after"] == 3


def test_options_while_nothing_is_known_of_the_visitor(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor(None)
    FakeChat(page.page)
    page.visit()
    page.open_chat()
    page.panel.get_by_role("button", name="Privacy", exact=True).click()
    expect(page.panel.get_by_role("button", name="Back to the chat")).to_be_visible()
    expect(page.panel.get_by_role("button", name="Open the full page")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_right_to_left(new_host_visitor: NewHostVisitor, axe: Axe, shop: Shop, scheme: str) -> None:
    shop.serve("/ar", page_html(body=shop.tag, language="ar", direction="rtl"))
    page = new_host_visitor(None, color_scheme=scheme, **NARROW)
    chat = FakeChat(page.page)
    look = looker(page, axe, f"rtl-{scheme}")
    page.visit("/ar")
    page.launcher.tap()
    page.wait_until_online()
    expect(page.panel).not_to_have_accessible_name("Tea Assistant AI assistant")
    assert page.panel.locator(".frame").get_attribute("dir") == "rtl"
    look("empty")
    page.ask("\u0645\u0627 \u0644\u062f\u064a\u0643\u0645\u061f")
    chat.start()
    chat.tell("gen.delta", off=0, text=TEXT)
    items = [["li", f"Tea {number}"] for number in range(9, 13)]
    chat.tell("gen.block", from_off=0, to_off=20, nodes=[*NODES, ["ol", {"start": 9}, *items]])
    chat.finish(len(TEXT))
    listed = page.turns.last.locator("ol")
    # The numbers stand at the left edge, and have room for two digits there.
    assert listed.evaluate("node => parseFloat(getComputedStyle(node).paddingLeft)") >= 32
    look("done")
    page.panel.locator("header [aria-controls=panel-sheet]").tap()
    expect(page.panel.get_by_role("combobox")).to_be_visible()
    look("options")


def test_beside_a_page_that_is_read_from_right_to_left(
    new_host_visitor: NewHostVisitor, shop: Shop
) -> None:
    shop.serve("/ar", page_html(body=shop.tag, language="ar", direction="rtl"))
    page = new_host_visitor(None)
    FakeChat(page.page)
    page.visit("/ar")
    page.open_chat()
    box = page.panel.bounding_box()
    assert box is not None and box["x"] == 20


def test_a_small_phone_and_a_calm_one(new_host_visitor: NewHostVisitor, axe: Axe) -> None:
    options = NARROW | {"viewport": {"width": 320, "height": 640}}
    page = new_host_visitor(None, **options, reduced_motion="reduce", forced_colors="active")
    chat = FakeChat(page.page)
    page.visit()
    page.launcher.tap()
    page.ask("What is " + "tea" * 60 + "?")
    chat.start()
    chat.tell("gen.delta", off=0, text="Tea " + "y" * 200)
    expect(page.turns.last).to_contain_text("yyy")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.panel.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert page.page.evaluate("document.getAnimations().length") == 0
    looker(page, axe, "small")("streaming")
