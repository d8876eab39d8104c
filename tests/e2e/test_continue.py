"""An answer that was stopped goes on behind its text, with the real pool and after its death."""

from __future__ import annotations

import os
import signal
import uuid
from typing import Any

import pytest

from tests.e2e.browserlike import Browserlike, fetch, visitor_cookie
from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
LONG_QUESTION = "Tell me about the pool."


def stop_early(tab: Browserlike, num_chars: int = 5) -> tuple[str, dict[str, Any], str]:
    """Ask and stop; returns the generation, the ack and the text that is kept."""
    gen = tab.ask(LONG_QUESTION)
    ack = tab.until("message.ack")
    seen = len(tab.until_shown(gen, num_chars))
    tab.send({"type": "gen.stop", "gen": gen, "seen": seen})
    done = tab.until_end()
    assert done["reason"] == "user_stop"
    return gen, ack, tab.shown(gen)[: done["chars"]]


def go_on(tab: Browserlike, old: str) -> str:
    """Continue; returns the new generation."""
    created = next(f for f in tab.frames if f["type"] == "gen.created" and f["gen"] == old)
    gen = str(uuid.uuid4())
    tab.send({"type": "gen.continue", "gen": gen, "message": created["message"]})
    return gen


def test_an_answer_goes_on(paced_server: LiveServer) -> None:
    cookie = visitor_cookie(paced_server)
    with Browserlike(paced_server, cookie) as tab:
        tab.hello()
        old, ack, kept = stop_early(tab)
        gen = go_on(tab, old)
        done = tab.until_end()
        text = tab.shown(gen)
    assert done["reason"] == "stop", done
    assert text.startswith(kept) and len(text) > len(kept) + 5
    assert done["chars"] == len(text)
    stored = fetch(paced_server, f"/api/v1/conversations/{ack['conversation']}/", cookie)
    assert [message["text"] for message in stored["messages"]] == [LONG_QUESTION, text]


def test_it_goes_on_although_the_pool_dies(paced_server: LiveServer) -> None:
    with Browserlike(paced_server) as tab:
        tab.hello()
        old, _, kept = stop_early(tab)
        gen = go_on(tab, old)
        tab.until_shown(gen, len(kept) + 5)
        pool = paced_server.pool_pid()
        os.kill(pool, signal.SIGKILL)
        paced_server.pool_pid(unlike=pool)
        done = tab.until_end(timeout_s=60)
        text = tab.shown(gen)
    assert done["type"] == "gen.done", done
    assert text.startswith(kept) and done["chars"] == len(text)
    notices = [frame["code"] for frame in tab.frames if frame["type"] == "gen.notice"]
    assert notices.count("retried") == 1
