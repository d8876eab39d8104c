"""Thumbs, unread marks, approved answers and what is offered instead."""

from __future__ import annotations

import contextlib
import sqlite3
import time

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.live import LiveServer, run_manage

TOKENS_PER_SECOND = 25
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
APPROVE = """
from apps.ai_chat.approved_answers import add_wording
from apps.ai_chat.models import ApprovedAnswer
answer = ApprovedAnswer.objects.create(text="We are open from **nine** to five.")
add_wording(answer=answer, text="When are you open on weekdays?")
"""


@pytest.fixture(scope="module")
def approved(server: LiveServer) -> str:
    """The wording of a question that staff have answered."""
    result = run_manage(server.env, "shell", "-c", APPROVE)
    assert result.returncode == 0, result.stderr
    return "When are you open on weekdays?"


def stored_opinion(server: LiveServer) -> tuple[str, str] | None:
    """Reason and comment of the newest thumb, once there is a comment."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.closing(sqlite3.connect(server.var_dir / "db.sqlite3")) as database:
            row: tuple[str, str] | None = database.execute(
                "SELECT reason, comment FROM ai_chat_feedback ORDER BY id DESC"
            ).fetchone()
        if row and row[1]:
            return row
        time.sleep(0.05)
    return None


def test_a_thumb_is_kept_and_can_be_taken_back(page: ChatPage) -> None:
    page.ask("What is Corral?")
    page.wait_for_end()
    page.button("Good answer").click()
    expect(page.button("Good answer")).to_have_attribute("aria-pressed", "true")
    page.page.reload()
    expect(page.button("Good answer")).to_have_attribute("aria-pressed", "true")
    page.wait_until_online()
    page.button("Good answer").click()
    expect(page.button("Good answer")).to_have_attribute("aria-pressed", "false")
    page.page.reload()
    expect(page.button("Good answer")).to_have_attribute("aria-pressed", "false")


def test_a_thumb_down_may_say_why_and_other_tabs_know(page: ChatPage, server: LiveServer) -> None:
    page.ask("What is Corral?")
    page.wait_for_end()
    other = page.second_tab(page.conversation_path)
    page.button("Bad answer").click()
    expect(other.button("Bad answer")).to_have_attribute("aria-pressed", "true")
    page.page.get_by_text("Incomplete").click()
    page.page.get_by_role("textbox", name="Anything to add? (optional)").fill("Say more.")
    page.button("Send feedback").click()
    expect(page.button("Send feedback")).to_be_hidden()
    expect(page.button("Bad answer")).to_be_focused()
    expect(other.button("Bad answer")).to_have_attribute("aria-pressed", "true")
    assert stored_opinion(server) == ("incomplete", "Say more.")


def test_what_nobody_has_seen_is_marked(page: ChatPage) -> None:
    page.ask("What is Corral?")
    page.wait_for_text(5)
    page.page.get_by_role("button", name="New chat").first.click()
    mark = page.page.locator(".history__unread")
    expect(mark).to_have_text(" (1 new answer)", timeout=30_000)
    page.history.first.locator("a").click()
    expect(mark).to_have_count(0)
    page.page.get_by_role("button", name="New chat").first.click()
    page.page.reload()
    expect(page.history).to_have_count(1)
    expect(mark).to_have_count(0)


def test_an_approved_answer_says_so(page: ChatPage, approved: str) -> None:
    page.ask(approved)
    assert page.wait_for_end() == "We are open from nine to five."
    mark = page.page.locator(".mark--good")
    expect(mark).to_have_text("Approved answer")
    page.page.reload()
    expect(mark).to_have_text("Approved answer")


def test_a_question_much_like_an_approved_one_offers_it(page: ChatPage, approved: str) -> None:
    page.ask("When are you open on a weekday?")
    chip = page.page.get_by_role("group", name="Did you mean").get_by_role("button")
    expect(chip).to_have_text(approved)
    chip.click()
    expect(page.turns).to_have_count(2)
    assert page.wait_for_end() == "We are open from nine to five."
    assert page.questions[-1] == approved
