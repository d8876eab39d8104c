"""Several visitors of a site wait for the same machine; one visitor has several tabs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.widget.conftest import NewHostVisitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

TOKENS_PER_SECOND = 6.0
SETTINGS = {"CORRAL_MAX_INSTANCES": "1"}


def test_the_second_visitor_sees_a_place_in_line_and_leaves(
    new_host_visitor: NewHostVisitor,
) -> None:
    first = new_host_visitor()
    first.open_chat()
    first.ask("Tell me a story")
    first.wait_for_text(5)
    second = new_host_visitor()
    second.open_chat()
    second.ask("What is Corral?")
    expect(second.turns.last).to_contain_text("next in line")
    second.panel.get_by_role("button", name="Leave line").click()
    expect(second.turns.last).to_contain_text("Stopped")
    first.panel.get_by_role("button", name="Stop", exact=True).click()
    expect(first.turns.last).to_contain_text("Stopped")


def test_two_tabs_show_the_same(new_host_visitor: NewHostVisitor) -> None:
    page = new_host_visitor()
    page.open_chat()
    page.ask("What is Corral?")
    page.wait_for_end()
    other = page.second_tab()
    other.visit()
    other.open_chat()
    expect(other.turns).to_have_count(1)
    page.ask("Tell me a story")
    page.wait_for_text(5)
    expect(other.turns).to_have_count(2)
    other.wait_for_text(5)
    other.panel.get_by_role("button", name="Stop", exact=True).click()
    expect(page.turns.last).to_contain_text("Stopped")
    assert page.answer == other.answer


def test_a_tab_opened_before_the_first_message_becomes_the_same_visitor(
    new_host_visitor: NewHostVisitor,
) -> None:
    page = new_host_visitor()
    page.open_chat()
    page.wait_until_online()
    other = page.second_tab()
    other.visit()
    other.open_chat()
    other.ask("What is Corral?")
    other.wait_for_text(5)
    expect(page.turns).to_have_count(1)
    page.wait_for_text(5)
