"""What a host page can tell the chat, and what it is told."""

from __future__ import annotations

import re
import time
from pathlib import Path

import jwt
import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ANSWER_MS
from tests.browser.widget.conftest import NewHostVisitor, Shop
from tests.browser.widget.fake_chat import CONVERSATION, FakeChat
from tests.browser.widget.host_page import HostPage, page_html

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

STUB = (
    "window.Corral = window.Corral || function () { (Corral.q = Corral.q || []).push(arguments) };"
)
LISTEN = """
window.heard = [];
for (const name of ["ready", "open", "close", "state", "message", "unread", "queue"])
  document.addEventListener(`corral:${name}`, ({ detail }) => heard.push([name, detail]));
"""


def heard(page: HostPage, name: str) -> list[dict[str, object]]:
    return [detail for kind, detail in page.page.evaluate("heard") if kind == name]


def test_commands_given_before_the_script_is_there(
    new_host_visitor: NewHostVisitor, shop: Shop
) -> None:
    early = "Corral('on', 'ready', () => { window.isReady = true }); Corral('open');"
    head = f"<script>{STUB}{early}</script>"
    shop.serve("/early", page_html(head=head, body=shop.tag), policy="")
    page = new_host_visitor("/early")
    expect(page.panel).to_be_visible()
    page.page.wait_for_function("window.isReady === true")


def test_open_close_hide_and_what_is_told(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    page.page.add_init_script(LISTEN)
    page.visit()
    page.command("open")
    expect(page.panel).to_be_visible()
    page.wait_until_online()
    page.ask("What is in stock?")
    chat.moment("gen.queue", position=2, size=2, eta_s=None, basis="none")
    page.command("close")
    expect(page.panel).to_be_hidden()
    chat.start()
    chat.tell("gen.delta", off=0, text="Tea")
    chat.finish(3)
    expect(page.launcher).to_have_accessible_name("Open the chat (1)")
    state = page.command("get")
    assert (state["open"], state["unread"], state["state"]) == (False, 1, "idle")
    page.command("toggle")
    expect(page.panel).to_be_visible()
    page.page.wait_for_function("heard.filter(([name]) => name === 'unread').length === 2")
    assert chat.frames("read")[-1]["conversation"] == state["conversation"]
    assert [detail["unread"] for detail in heard(page, "unread")] == [1, 0]
    assert [detail["role"] for detail in heard(page, "message")] == ["user", "assistant"]
    assert heard(page, "queue")[0]["position"] == 2
    assert {"queued", "preparing", "streaming"} <= {x["state"] for x in heard(page, "state")}
    assert len(heard(page, "open")) == 2 and len(heard(page, "close")) == 1
    page.command("hide")
    expect(page.page.locator("corral-chat")).to_be_hidden()
    page.command("show")
    expect(page.page.locator("corral-chat")).to_be_visible()
    page.command("dance")
    page.command("dance")
    assert [warning for warning in page.warnings if "dance" in warning] == [
        'Corral: there is no method "dance".'
    ]


def test_asking_needs_a_click_of_the_visitor(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    body = (
        '<button id="help">Help</button><a data-chat-open href="#">Chat</a>'
        f"<script>{STUB}Corral('ask', 'Buy this', {{send: true}});</script>"
        "<script>document.querySelector('#help').onclick = () =>"
        " Corral('ask', 'Is it open?', {send: true});</script>"
    )
    shop.serve("/ask", page_html(body=body + shop.tag), policy="")
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    page.visit("/ask")
    expect(page.box).to_have_value("Buy this")
    assert chat.frames("message.send") == []
    page.box.fill("")
    page.page.locator("#help").click()
    expect(page.turns).to_have_count(1)
    page.command("close")
    page.page.get_by_role("link", name="Chat").click()
    expect(page.panel).to_be_visible()


def test_facts_of_the_page_are_shown_before_they_are_sent(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    page.visit()
    page.open_chat()
    page.command("context", {"plan": "Pro", "deep": {"no": 1}})
    expect(page.panel.locator(".context")).to_contain_text("plan: Pro")
    page.ask("What do I pay?")
    expect(page.turns).to_have_count(1)
    assert chat.frames("message.send")[0]["context"] == {"plan": "Pro"}
    page.panel.get_by_role("button", name="Do not send this").click()
    expect(page.panel.locator(".context")).to_be_hidden()


def user_jwt(shop: Shop, sub: str) -> str:
    claims = {"sub": sub, "aud": shop.key, "exp": int(time.time()) + 600}
    return jwt.encode(claims, shop.identity_secret, algorithm="HS256")


def test_login_brings_the_chats_along_and_logout_takes_them_away(
    new_host_visitor: NewHostVisitor, shop: Shop
) -> None:
    page = new_host_visitor()
    page.open_chat()
    page.wait_until_online()
    page.ask("What is Corral?")
    page.wait_for_end()
    page.command("identify", user_jwt(shop, "anna"))
    conversation = page.command("get")["conversation"]
    page.command("shutdown")
    expect(page.turns).to_have_count(0)
    assert page.page.evaluate("localStorage.length") == 0
    page.wait_until_online()

    other = new_host_visitor()
    other.open_chat()
    other.command("identify", user_jwt(shop, "anna"))
    other.ask("Hello")
    other.wait_for_end()
    bearer = {"Authorization": f"Bearer {user_jwt(shop, 'anna')}", "Origin": shop.host.origin}
    answer = other.context.request.get(f"{shop.chat_url}/api/v1/conversations/", headers=bearer)
    found = answer.json()
    rows = found["results"] if isinstance(found, dict) else found
    assert conversation in [row["id"] for row in rows]


def test_everything_is_erased_at_once(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor()
    page.open_chat()
    page.ask("What is Corral?")
    page.wait_for_end()
    page.panel.get_by_role("button", name="Privacy", exact=True).click()
    with page.page.expect_download() as download:
        page.panel.get_by_role("button", name="Download my chats").click()
    assert b"What is Corral?" in Path(download.value.path()).read_bytes()
    page.panel.get_by_role("button", name="Delete my chats").click()
    page.panel.get_by_role("button", name="Delete", exact=True).click()
    expect(page.panel.get_by_text("Your chats were deleted.")).to_be_visible()
    assert page.page.evaluate("localStorage.length") == 0
    page.panel.get_by_role("button", name="Back to the chat").click()
    expect(page.turns).to_have_count(0)
    expect(page.panel.get_by_text("What would you like to know about tea?")).to_be_visible()


def test_unread_answers_are_counted_in_the_title_where_the_page_wants_it(
    new_host_visitor: NewHostVisitor, shop: Shop
) -> None:
    tag = shop.tag.replace(" defer", ' data-unread="title" defer')
    shop.serve("/title", page_html(body=tag))
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    page.visit("/title")
    page.open_chat()
    page.ask("What is in stock?")
    chat.start()
    page.command("close")
    chat.tell("gen.delta", off=0, text="Tea")
    chat.finish(3)
    expect(page.page).to_have_title("(1) A shop")
    page.launcher.click()
    expect(page.page).to_have_title("A shop")


def test_a_page_that_changes_its_language(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    stored = {"id": CONVERSATION, "messages": []}
    allowed = {"Access-Control-Allow-Origin": "*"}
    page.page.route(
        re.compile(r"/api/v1/conversations/"),
        lambda route: route.fulfill(json=stored, headers=allowed),
    )
    page.visit()
    page.open_chat()
    page.ask("What is in stock?")
    chat.start()
    page.box.fill("And what")
    page.command("update", {"lang": "de"})
    expect(page.panel.get_by_role("textbox", name="Ihre Nachricht")).to_have_value("And what")
    expect(page.panel).to_have_count(1)
    # The line of the panel before is gone for good: whatever wakes lines wakes only the new one.
    page.page.wait_for_function("Corral('get').then(({ state }) => state !== 'connecting')")
    num_lines = len(chat.frames("hello"))
    page.page.evaluate("dispatchEvent(new Event('online'))")
    page.command("update", {"lang": "en"})
    expect(page.panel.get_by_role("textbox", name="Your message")).to_have_value("And what")
    page.page.wait_for_function("Corral('get').then(({ state }) => state !== 'connecting')")
    assert len(chat.frames("hello")) == num_lines + 1
    page.command("close")
    expect(page.panel).to_be_hidden()


def test_the_full_page_goes_on_with_the_same_conversation(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor()
    page.open_chat()
    page.ask("What is Corral?")
    page.wait_for_end()
    page.panel.get_by_role("button", name="Privacy", exact=True).click()
    with page.context.expect_page() as opened:
        page.panel.get_by_role("button", name="Open the full page").click()
    full = opened.value
    expect(full.locator(".question__text")).to_have_text("What is Corral?", timeout=ANSWER_MS)
    # No way back to the page of others, and no code that would work again.
    assert full.evaluate("window.opener") is None
    assert "#" not in full.url
