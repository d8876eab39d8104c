"""Answers as Markdown: what is built, and everything that must not be."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewVisitor
from tests.browser.stored_chat import answer, question, show
from tests.live import LiveServer
from tests.payloads import payloads

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
RICH = """# Prices

Call **us** or *write*, see [the list](https://docs.example/prices) and `corral`.

```python
print("a line that is so long that nobody could ever read it without scrolling sideways, never")
```

| Plan | Price |
|:-----|------:|
| one  | 5     |

1. first
2. second

![a chart](https://pictures.example/x.png) and [paypal.com](https://elsewhere.example/login)
"""
# What may stand inside of an answer's words: the allowed nodes and our own furniture around them.
ALLOWED = {
    *("p", "br", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "a"),
    *("table", "thead", "tbody", "tr", "th", "td", "div", "span", "button", "svg", "path"),
}
SCAN = """
() => {
  const found = { tags: new Set(), attributes: new Set(), links: new Set() };
  for (const node of document.querySelectorAll(".answer__text *, .question__text *")) {
    found.tags.add(node.localName);
    for (const { name } of node.attributes) found.attributes.add(name);
    if (node.localName === "a") found.links.add(`${node.protocol} ${node.target} ${node.rel}`);
  }
  return { ...Object.fromEntries(Object.entries(found).map(([k, v]) => [k, [...v]])),
           hit: window.__hit ?? null, title: document.title };
}
"""


def test_what_an_answer_is_made_of(page: ChatPage) -> None:
    show(page, [question("What does it cost?"), answer(RICH)])
    text = page.page.locator(".answer__text")
    heading = text.get_by_role("heading", name="Prices")
    expect(heading).to_have_attribute("aria-level", "2")
    expect(text.locator("strong")).to_have_text("us")
    expect(text.locator("ol li")).to_have_text(["first", "second"])
    code = text.get_by_role("group", name="python")
    expect(code).to_have_attribute("tabindex", "0")
    expect(text.locator(".code")).to_have_attribute("dir", "ltr")
    assert code.evaluate("node => node.scrollWidth > node.clientWidth")
    table = text.get_by_role("group", name="Table")
    expect(table).to_have_attribute("tabindex", "0")
    expect(table.get_by_role("columnheader", name="Price")).to_have_css("text-align", "right")


def test_headings_have_no_holes_for_those_who_listen(page: ChatPage) -> None:
    show(page, [question("?"), answer("### A\n\n##### B\n\n### C\n\n# D\n\n## E\n")])
    headings = page.page.locator(".answer__text").get_by_role("heading")
    levels = [heading.get_attribute("aria-level") for heading in headings.all()]
    assert levels == ["2", "3", "2", "2", "3"]


def test_links_say_where_they_lead_and_pictures_are_not_fetched(page: ChatPage) -> None:
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    show(page, [question("?"), answer(RICH)])
    links = page.page.locator(".answer__text a")
    expect(links).to_have_text(
        ["the list", "Picture: a chart (pictures.example)", "paypal.com (elsewhere.example)"]
    )
    for link in links.all():
        expect(link).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
        expect(link).to_have_attribute("target", "_blank")
    assert [url for url in asked if not url.startswith(page.url)] == []


def test_code_is_copied_as_it_is(browser: Browser, server: LiveServer) -> None:
    page = ChatPage.open_as_new_visitor(
        browser, server.url, permissions=["clipboard-read", "clipboard-write"]
    )
    try:
        show(page, [question("?"), answer(RICH)])
        page.button("Copy code").click()
        expect(page.button("Copied")).to_be_visible()
        copied = page.page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith('print("a line')
        page.button("Copy").click()
        page.page.wait_for_function("navigator.clipboard.readText().then(t => t.startsWith('# P'))")
        assert page.problems == []
    finally:
        page.close()


def test_nothing_of_the_corpus_gets_through(page: ChatPage) -> None:
    """As answers and as questions: only allowed elements, no request, nothing runs."""
    requests: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(page.url):
            requests.append(request.url)

    page.context.on("request", note)
    title = page.page.title()
    messages = []
    for text in payloads().values():
        messages += [question(text), answer(text)]
    show(page, messages)
    expect(page.turns).to_have_count(len(messages) // 2)
    page.wait_until_settled()
    found = page.page.evaluate(SCAN)
    assert set(found["tags"]) - ALLOWED == set()
    assert (
        set(found["attributes"])
        - {
            *("class", "dir", "role", "href", "target", "rel", "start", "tabindex", "type"),
            *("aria-level", "aria-label", "aria-hidden", "viewBox", "d"),
        }
        == set()
    )
    safe = "_blank noopener noreferrer nofollow ugc"
    assert set(found["links"]) <= {f"{kind} {safe}" for kind in ("http:", "https:", "mailto:")}
    assert len(found["links"]) > 0
    assert found["hit"] is None
    assert page.page.title() == title
    assert requests == []


def test_finished_blocks_replace_plain_text_while_the_rest_grows(page: ChatPage) -> None:
    """Frames of a stubbed line: a heading is finished before its paragraph is."""
    page.page.evaluate(BUILD)
    text = page.page.locator("#trial .answer__text")
    expect(text).to_have_text("# One\n\nTwo *is", use_inner_text=True)
    page.page.evaluate(
        "trial.step([{ type: 'gen.block', from_off: 0, to_off: 7, nodes: [['h1', 'One']] }])"
    )
    expect(text.get_by_role("heading")).to_have_text("One")
    expect(text.locator(".answer__tail")).to_have_text("Two *is")
    page.page.evaluate("trial.keep = document.querySelector('#trial .heading')")
    page.page.evaluate(
        "trial.step([{ type: 'gen.delta', off: 14, text: '* it' }, "
        "{ type: 'gen.block', from_off: 7, to_off: 18, "
        "nodes: [['p', 'Two ', ['em', 'is'], ' it']] }])"
    )
    expect(text.locator("em")).to_have_text("is")
    expect(text.locator(".answer__tail")).to_be_empty()
    # What stays is not built again: a selection in it survives.
    assert page.page.evaluate("trial.keep === document.querySelector('#trial .heading')")


BUILD = """
async () => {
  const base = document.querySelector("script[type=module]").src.replace(/main[^/]*$/, "");
  const { Generation } = await import(`${base}generation.js`);
  const { AnswerText } = await import(`${base}answer_text.js`);
  const answer = new Generation({ gen: "g" });
  const view = new AnswerText();
  const place = document.createElement("div");
  place.id = "trial";
  place.append(view.element);
  document.querySelector("#scroller").append(place);
  let seq = 0;
  window.trial = {
    step(frames) {
      for (const frame of frames) answer.apply({ ...frame, seq: (seq += 1) });
      view.write(answer);
    },
  };
  trial.step([{ type: "gen.created" }, { type: "gen.delta", off: 0, text: "# One\\n\\nTwo *is" }]);
}
"""


def test_each_part_is_written_in_its_own_direction(new_visitor: NewVisitor) -> None:
    page = new_visitor(locale="ar")
    text = "- one\n\n- two\n\n> a quote\n\n| a | b |\n|---|---|\n| c | d |\n\nمرحبا بك\n\n- مرحبا\n"
    show(page, [question("?"), answer(text)])
    directions = page.page.locator(".block :is(p, ul, blockquote, table)").evaluate_all(
        "nodes => nodes.map((node) => `${node.localName} ${getComputedStyle(node).direction}`)"
    )
    assert directions == [
        *("ul ltr", "p ltr", "p ltr", "blockquote ltr", "p ltr", "table ltr", "p rtl", "ul rtl"),
    ]
