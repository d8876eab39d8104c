"""Hostile texts in every place that shows what the model, a visitor or an owner wrote."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Route, expect

from apps.ai_chat.markdown import parse
from tests.browser.widget.conftest import NewHostVisitor, Shop
from tests.browser.widget.fake_chat import FakeChat
from tests.browser.widget.host_page import page_html
from tests.payloads import payloads

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ALLOWED = [
    *("DIV", "P", "BR", "STRONG", "EM", "DEL", "CODE", "PRE", "UL", "OL", "LI", "BLOCKQUOTE"),
    *("TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "HR", "A", "SPAN", "BUTTON", "svg", "path"),
]
FOREIGN_ELEMENTS = """([selector, allowed]) => {
  const places = document.querySelector("corral-chat").shadowRoot.querySelectorAll(selector);
  const found = new Set();
  for (const place of places) for (const node of place.querySelectorAll("*")) {
    if (!allowed.includes(node.tagName)) found.add(node.tagName);
    for (const { name, value } of node.attributes)
      if (/^on|^style$|^src/.test(name) || /^\\s*(javascript|data|vbscript):/i.test(value))
        found.add(`${node.tagName} ${name}=${value}`);
  }
  return [...found];
}"""


def test_in_answers(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    page = new_host_visitor(None)
    chat = FakeChat(page.page)
    page.visit()
    page.open_chat()
    page.ask("Show me what you have")
    chat.start()
    offset = 0
    texts = [text[:4000] for text in payloads().values()]
    assert len(texts) > 50
    for text in texts:
        chat.tell("gen.delta", off=offset, text=text + "\n\n")
        end = offset + len(text) + 2
        # Whatever the server's reader makes of it; and once more without its care.
        nodes = [*parse(text), ["p", text], ["script", text], ["img", {"src": text}, text]]
        nodes += [["a", {"href": text, "host": text, "onclick": text}, "text"]]
        chat.tell("gen.block", from_off=offset, to_off=end, nodes=nodes)
        offset = end
    chat.finish(offset)
    expect(page.turns.last.locator(".block")).to_have_count(len(texts))
    found = page.page.evaluate(FOREIGN_ELEMENTS, [".answer > div:first-of-type", ALLOWED])
    assert found == []
    expect_calm(page.page.evaluate("window.__hit"), page.requests, shop)


def test_in_what_the_owner_and_the_page_say(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    everything = " ".join(payloads().values())[:20_000]
    texts = list(payloads().values())[:10]

    def with_payloads(route: Route) -> None:
        answer = route.fetch()
        words = ("assistant_name", "greeting", "launcher_label", "consent", "away")
        config = answer.json() | dict.fromkeys(words, everything)
        config |= {"starters": texts, "privacy_url": "javascript:window.__hit=1"}
        config |= {"contact": "a@b.example?body=<img src=x>", "needs_consent": True}
        route.fulfill(response=answer, body=json.dumps(config))

    page = new_host_visitor(None)
    FakeChat(page.page)
    page.page.route("**/config?*", with_payloads)
    page.visit()
    page.open_chat()
    page.command("context", {f"fact {n} {text}": text for n, text in enumerate(texts)})
    page.ask("Hello")
    expect(page.panel.get_by_role("button", name="Agree and send")).to_be_visible()
    places = ".header,.empty,.consent,.context,.sheet"
    allowed = [*ALLOWED, "BDI", "H2", "H3", "CANVAS", "SECTION", "SELECT", "OPTION", "LABEL"]
    assert page.page.evaluate(FOREIGN_ELEMENTS, [places, allowed]) == []
    assert page.panel.locator("a[href^=javascript]").count() == 0
    expect_calm(page.page.evaluate("window.__hit"), page.requests, shop)


def test_in_the_name_of_a_site_key(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    """A key that is none never becomes part of the script."""
    bad = f"{shop.chat_url}/w/v1.js?site=%22%3C/script%3E%3Cscript%3Ewindow.__hit=1//"
    shop.serve("/bad", page_html(body=f'<script src="{bad}"></script>'))
    page = new_host_visitor("/bad")
    page.page.wait_for_load_state("networkidle")
    expect(page.launcher).to_have_count(0)
    expect_calm(page.page.evaluate("window.__hit"), page.requests, shop)


def expect_calm(hit: object, requests: list[str], shop: Shop) -> None:
    assert hit is None
    ours = (shop.chat_url, shop.host.origin)
    assert [url for url in requests if not url.startswith(ours)] == []
