"""One line for every answer, in web process and pool, under the id the browser chose; no text."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.e2e.browserlike import Browserlike
from tests.live import DEMO_MODEL, LiveServer, live_server_process

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not DEMO_MODEL.is_file(), reason="the demo model is not there; `make demo-model` trains it"
    ),
]
QUESTION = "Tell me about the pool, wombat."


def lines_about(server: LiveServer, gen: str, number: int) -> list[dict[str, Any]]:
    """The lines of the log about one answer; waits for ``number`` of them."""
    deadline = time.monotonic() + 10
    while True:
        text = server.log_text(1_000_000)
        found = [json.loads(line) for line in text.splitlines() if f'"gen": "{gen}"' in line]
        if len(found) >= number or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_json_lines_of_web_process_and_pool() -> None:
    with live_server_process(max_tok_s=30, wait_for_model=True, CORRAL_LOG_FORMAT="json") as server:
        with Browserlike(server) as tab:
            tab.hello()
            gen = tab.ask(QUESTION)
            tab.until_end()
            answer = tab.shown(gen)
            stopped = tab.ask(QUESTION)
            seen = len(tab.until_shown(stopped, 5))
            tab.send({"type": "gen.stop", "gen": stopped, "seen": seen})
            tab.until_end()
        lines = {line["logger"]: line for line in lines_about(server, gen, 2)}
        stops = {line["logger"]: line for line in lines_about(server, stopped, 2)}
        num_lines = [len(lines_about(server, one, 2)) for one in (gen, stopped)]
        pool_pid, text = server.pool_pid(), server.log_text(1_000_000)
    assert num_lines == [2, 2]
    web, pool = lines["apps.ai_chat.end_line"], lines["ai_model.pool.end_line"]
    assert web["outcome"] == "stop" and pool["outcome"] == "done"
    assert (web["pid"], pool["pid"]) == (server.pid, pool_pid)
    assert web["chars"] == len(answer) and pool["new_tokens"] == web["tokens"] > 0
    assert web["total_ms"] >= web["ttft_ms"] == pool["ttft_ms"] > 0
    assert web["conversation"] and pool["visitor"]
    assert stops["apps.ai_chat.end_line"]["outcome"] == "user_stop"
    assert stops["ai_model.pool.end_line"]["outcome"] == "user_stop"
    for line in text.splitlines():
        json.loads(line)
    assert "wombat" not in text and answer[:20] not in text


def test_plain_line_of_an_answer_that_failed(modelless_server: LiveServer) -> None:
    with Browserlike(modelless_server) as tab:
        tab.hello()
        gen = tab.ask(QUESTION)
        error = tab.until_end(timeout_s=60)
    deadline = time.monotonic() + 10
    while not (line := find_line(modelless_server, gen)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert f"answer ended gen={gen} " in line and f"outcome={error['code']} " in line
    assert "wombat" not in modelless_server.log_text(1_000_000)


def find_line(server: LiveServer, gen: str) -> str:
    """The first line about an answer, or ""."""
    return next((one for one in server.log_text(1_000_000).splitlines() if gen in one), "")
