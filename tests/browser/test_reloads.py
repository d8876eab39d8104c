"""Reloading in the middle of an answer, twenty times at random moments."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
TOKENS_PER_SECOND = 15
SETTINGS = {"CORRAL_TEMPERATURE": "0"}
NUM_TRIES = 20
MAX_TRIES = 60
LONG = "Tell me a story"


def test_twenty_reloads_at_random_moments(page: ChatPage) -> None:
    """Only tries in which the reload hit the answer count: some text, but not all of it."""
    moments = random.Random(20261121)
    finals: list[str] = []
    num_good = 0
    for _ in range(MAX_TRIES):
        page.page.get_by_role("button", name="New chat").first.click()
        page.ask(LONG)
        page.wait_for_text(1)
        page.page.wait_for_timeout(moments.uniform(0, 3500))
        before = page.answer
        page.page.reload()
        again = page.wait_for_text(1)
        was_running = page.turns.last.locator(".answer--finished").count() == 0
        if was_running:
            expect(page.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        final = page.wait_for_end()
        finals.append(final)
        if not (was_running and 0 < len(again) < len(final)):
            continue
        assert squeezed(final).startswith(squeezed(before))
        num_good += 1
        if num_good == NUM_TRIES:
            break
    assert num_good == NUM_TRIES
    assert len(set(finals)) == 1, "greedy answers to the same question differ"


def squeezed(text: str) -> str:
    """Without blanks: a finished block shows its lines as paragraphs."""
    return "".join(text.split())
