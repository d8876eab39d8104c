"""Approved answers over a real line: given at once, and all there is when the model is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.browserlike import Browserlike, fetch, visitor_cookie
from tests.live import DEMO_MODEL, LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
QUESTION = "What are your opening hours?"
NEAR = "what are yor openning hours"
TEXT = "We are open **Monday to Friday**.\n\n- 9:00 to 17:00\n"
APPROVE = f"""
from apps.ai_chat.approved_answers import add_wording
from apps.ai_chat.models import ApprovedAnswer
add_wording(answer=ApprovedAnswer.objects.create(text={TEXT!r}), text={QUESTION!r})
"""
COUNT = """
from apps.ai_chat.models import Message
print("USED", Message.objects.filter(approved_answer__isnull=False).count())
"""


def shell(server: LiveServer, program: str) -> str:
    done = server.manage("shell", "-v", "0", "-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def server(modelless_server: LiveServer) -> LiveServer:
    """Without a model, with one approved answer."""
    shell(modelless_server, APPROVE)
    return modelless_server


@pytest.fixture(scope="module")
def full_server() -> Iterator[LiveServer]:
    """One slow instance and no room to wait."""
    if not DEMO_MODEL.is_file():
        pytest.skip("the demo model is not there; `make demo-model` trains it")
    settings = {"CORRAL_MAX_INSTANCES": "1", "CORRAL_QUEUE_SIZE": "1"}
    with live_server_process(max_tok_s=3, wait_for_model=True, **settings) as live:
        shell(live, APPROVE)
        yield live


def about(tab: Browserlike, gen: str, kind: str) -> list[dict[str, Any]]:
    return [frame for frame in tab.frames if frame.get("gen") == gen and frame["type"] == kind]


def notices(tab: Browserlike, gen: str) -> list[dict[str, Any]]:
    return about(tab, gen, "gen.notice")


def stop_early(tab: Browserlike, gen: str) -> None:
    """Wait for the first words of an answer and stop it."""
    tab.until_shown(gen, 3)
    tab.send({"type": "gen.stop", "gen": gen, "seen": 3})
    assert tab.until_end()["reason"] == "user_stop"


def check_approved(tab: Browserlike, question: str) -> str:
    """Ask what staff have answered; returns the id of the conversation."""
    before = time.monotonic()
    gen = tab.ask(question)
    ack = tab.until("message.ack")
    done = tab.until_end()
    took = time.monotonic() - before
    assert (done["type"], done.get("reason")) == ("gen.done", "stop"), done
    assert tab.shown(gen) == TEXT and done["chars"] == len(TEXT)
    assert [notice["code"] for notice in notices(tab, gen)] == ["approved"]
    assert about(tab, gen, "gen.started") == about(tab, gen, "gen.queue") == []
    blocks = about(tab, gen, "gen.block")
    assert blocks[0]["from_off"] == 0 and blocks[-1]["to_off"] >= len(TEXT.rstrip())
    # Measured: 0.2 s on a busy machine; the bar leaves room.
    assert took < 3
    print(f"approved answer in {took * 1000:.0f} ms")
    return str(ack["conversation"])


def test_exactly_the_question_is_answered_without_a_model(server: LiveServer) -> None:
    cookie = visitor_cookie(server)
    with Browserlike(server, cookie) as tab:
        tab.hello()
        conversation = check_approved(tab, "  what are your OPENING hours ")
    assert "USED 1" in shell(server, COUNT)
    stored = fetch(server, f"/api/v1/conversations/{conversation}/", cookie)["messages"][-1]
    assert (stored["text"], stored["state"]) == (TEXT, "complete")
    assert stored["is_approved"] is True


def test_similar_questions_are_all_there_is_without_a_model(server: LiveServer) -> None:
    with Browserlike(server) as tab:
        tab.hello()
        gen = tab.ask(NEAR)
        end = tab.until_end()
        assert end["type"] == "gen.error" and end["code"] == "no_model"
        offered = notices(tab, gen)
        assert [(item["code"], item["items"]) for item in offered] == [("did_you_mean", [QUESTION])]
        assert tab.shown(gen) == "", "never answered unasked"
        # What a click on it sends.
        conversation = about(tab, gen, "gen.created")[0]["conversation"]
        second = tab.ask(offered[0]["items"][0], conversation=conversation)
        tab.until_end()
        assert tab.shown(second) == TEXT


def test_other_questions_are_offered_nothing(server: LiveServer) -> None:
    with Browserlike(server) as tab:
        tab.hello()
        gen = tab.ask("Tell me a joke.")
        assert tab.until_end()["type"] == "gen.error"
        assert notices(tab, gen) == []


def test_a_full_pool_still_has_them(full_server: LiveServer) -> None:
    with ExitStack() as stack:
        tabs = [stack.enter_context(Browserlike(full_server)) for _ in range(3)]
        for tab in tabs:
            tab.hello()
        # One is answered, one waits.
        running = tabs[0].ask("Tell me about the pool.")
        tabs[0].until("gen.started", timeout_s=30)
        waiting = tabs[1].ask("Tell me a story.")
        tabs[1].until("gen.queue", timeout_s=30)
        gen = tabs[2].ask(NEAR)
        end = tabs[2].until_end()
        assert (end["type"], end["code"]) == ("gen.error", "queue_full")
        assert [item["code"] for item in notices(tabs[2], gen)] == ["did_you_mean"]
        check_approved(tabs[2], QUESTION)
        for tab, gen in ((tabs[1], waiting), (tabs[0], running)):
            tab.send({"type": "gen.stop", "gen": gen, "seen": 0})
            assert tab.until_end()["reason"] == "user_stop"


def test_a_working_model_answers_what_is_only_similar(full_server: LiveServer) -> None:
    with Browserlike(full_server) as tab:
        tab.hello()
        gen = tab.ask(NEAR)
        tab.until_shown(gen, 3)
        assert [item["code"] for item in notices(tab, gen)] == ["did_you_mean"]
        tab.send({"type": "gen.stop", "gen": gen, "seen": 3})
        assert tab.until_end()["reason"] == "user_stop"


def test_a_paused_pool_still_has_them(full_server: LiveServer) -> None:
    assert full_server.manage("pool", "pause").returncode == 0
    try:
        with Browserlike(full_server) as tab:
            tab.hello()
            gen = tab.ask(NEAR)
            assert tab.until_end()["code"] == "paused"
            assert [item["items"] for item in notices(tab, gen)] == [[QUESTION]]
            check_approved(tab, QUESTION)
    finally:
        assert full_server.manage("pool", "resume").returncode == 0


def test_in_emergency_mode_they_come_and_the_rest_is_told_when(full_server: LiveServer) -> None:
    """New conversations get the honest message with a time; those there are go on."""
    with Browserlike(full_server) as tab:
        tab.hello()
        gen = tab.ask("Hello there")
        conversation = tab.until("message.ack")["conversation"]
        stop_early(tab, gen)
        switched = full_server.manage("pool", "emergency", "on")
        assert switched.returncode == 0, switched.stderr
        try:
            gen = tab.ask(NEAR)
            end = tab.until_end()
            assert (end["type"], end["code"], end["retryable"]) == (
                "gen.error",
                "memory_pressure",
                True,
            )
            assert end["text"] == "The server is short of memory and paused new answers."
            assert end["retry_after_s"] > 0
            assert [item["items"] for item in notices(tab, gen)] == [[QUESTION]]
            check_approved(tab, QUESTION)
            stop_early(tab, tab.ask("And then?", conversation=conversation))
        finally:
            full_server.manage("pool", "emergency", "auto")
