"""A conversation that outgrows the model's memory says where."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

SETTINGS = {"CORRAL_N_CTX": "256", "CORRAL_MAX_TOKENS": "64"}
DIVIDER = "Earlier messages are no longer in the model's memory"
NUM_TURNS = 6

pytestmark = pytest.mark.browser


def test_divider_stands_where_the_memory_begins(page: ChatPage) -> None:
    divider = page.page.get_by_text(DIVIDER)
    for number in range(NUM_TURNS):
        page.ask(f"What is the pool? This is question {number}.")
        page.wait_for_end()
        if number == 0:
            expect(divider).to_have_count(0)
    expect(divider).to_have_count(1)
    above = page.page.evaluate(
        """text => {
            const all = [...document.querySelectorAll(".question__text, span")];
            const at = all.findIndex(one => one.textContent === text);
            return all.slice(0, at).filter(one => one.matches(".question__text")).length;
        }""",
        DIVIDER,
    )
    assert 0 < above < NUM_TURNS
    page.open(page.conversation_path)
    expect(page.page.get_by_text(DIVIDER)).to_have_count(1)
