"""The page scrolls with an answer for those who follow it, and never because it ended."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor

TOKENS_PER_SECOND = 25
pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
LOW = {"viewport": {"width": 700, "height": 380}}
TOP = "document.querySelector('#scroller').scrollTop"
WATCH_END = """
() => {
  const row = document.querySelector(".turn:last-child .answer");
  const scroller = document.querySelector("#scroller");
  new MutationObserver(() => {
    if (window.topAtEnd === undefined && row.matches(".answer--finished")) {
      window.topAtEnd = scroller.scrollTop;
    }
  }).observe(row, { attributes: true, attributeFilter: ["class"] });
}
"""


def test_the_end_of_an_answer_moves_nothing(new_visitor: NewVisitor) -> None:
    page = new_visitor(**LOW)
    page.ask("Tell me a story")
    page.wait_for_text(60)
    page.page.evaluate(WATCH_END)
    page.box.press("End")
    page.wait_for_text(350)
    assert page.page.evaluate(TOP) > 0  # It follows.
    page.wait_for_end()
    page.wait_until_settled()
    expect(page.button("Copy")).to_be_attached()
    assert page.page.evaluate(TOP) == page.page.evaluate("window.topAtEnd")


def test_a_reader_who_scrolls_up_is_left_alone(new_visitor: NewVisitor) -> None:
    page = new_visitor(**LOW)
    page.ask("Tell me a story")
    page.wait_for_text(250)
    page.page.mouse.move(300, 150)
    page.page.mouse.wheel(0, -4000)
    page.page.wait_for_function(f"() => {TOP} === 0")
    before = page.page.evaluate(TOP)
    page.wait_for_end()
    assert page.page.evaluate(TOP) == before
    page.button("Jump to latest").click()
    expect(page.button("Jump to latest")).to_be_hidden()
    assert page.page.evaluate(TOP) > before
