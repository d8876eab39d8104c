"""What only a real Daphne shows: close codes, refusals, whole exchanges, deaths of processes."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from apps.ai_chat.progress_keeper import FLUSH_S
from tests.e2e.browserlike import Browserlike, fetch, visitor_cookie
from tests.live import LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
LONG_QUESTION = "Tell me about the pool."


def test_exchange_streams_and_is_stored(paced_server: LiveServer) -> None:
    cookie = visitor_cookie(paced_server)
    with Browserlike(paced_server, cookie) as tab:
        welcome = tab.hello()
        assert welcome["pool"]["state"] in ("ok", "busy") and welcome["model"]["demo"] is True
        gen = tab.ask("Hello, who are you?")
        ack = tab.until("message.ack")
        done = tab.until_end()
        text = tab.shown(gen)
    deltas = [frame for frame in tab.frames if frame["type"] == "gen.delta"]
    assert len(deltas) > 3 and done["reason"] == "stop" and done["chars"] == len(text)
    assert tab.line.subprotocol == "chat.v1"
    stored = fetch(paced_server, f"/api/v1/conversations/{ack['conversation']}/", cookie)
    assert [m["text"] for m in stored["messages"]] == ["Hello, who are you?", text]
    assert stored["messages"][1]["state"] == "complete" and stored["live"] is None


def test_stop_during_an_answer(paced_server: LiveServer) -> None:
    with Browserlike(paced_server) as tab:
        tab.hello()
        gen = tab.ask(LONG_QUESTION)
        seen = len(tab.until_shown(gen, 5))
        tab.send({"type": "gen.stop", "gen": gen, "seen": seen})
        before = time.monotonic()
        done = tab.until_end()
        assert done["reason"] == "user_stop" and done["chars"] >= seen
        assert time.monotonic() - before < 2


def test_leaving_is_not_stopping(paced_server: LiveServer) -> None:
    cookie = visitor_cookie(paced_server)
    with Browserlike(paced_server, cookie) as tab:
        tab.hello()
        gen = tab.ask(LONG_QUESTION)
        shown = tab.until_shown(gen, 5)
        last = max(frame.get("seq", 0) for frame in tab.frames)
        frames = tab.frames
    time.sleep(0.3)
    with Browserlike(paced_server, cookie) as back:
        welcome = back.hello(resume=[{"gen": gen, "after": last}])
        assert [live["gen"] for live in welcome["live"]] == [gen]
        back.frames = frames + back.frames
        done = back.until_end()
        assert len(back.shown(gen)) == done["chars"] > len(shown)
        assert back.shown(gen).startswith(shown)


@pytest.mark.parametrize(
    ("frames", "code", "close_code"),
    [
        ([{"type": "ping", "n": 1}], "no_hello", 4401),
        ([{"type": "hello", "v": 9}], "unsupported_version", 4406),
        ([{"type": "hello", "v": 1}] * 2, "second_hello", 4429),
        ([{"type": "hello", "v": 1, "token": "forged"}], None, None),
        (["{"] * 11, "malformed", 4400),
    ],
)
def test_close_codes_reach_the_client(
    modelless_server: LiveServer,
    frames: list[dict[str, object] | str],
    code: str | None,
    close_code: int | None,
) -> None:
    with Browserlike(modelless_server) as tab:
        for frame in frames:
            tab.send(frame)
        if close_code is None:
            # The cookie of our own page counts, whatever the token says.
            assert tab.until("welcome")
            return
        assert tab.close_code() == close_code
        assert [f["code"] for f in tab.frames if f["type"] == "error"][-1] == code


def test_hello_timeout(modelless_server: LiveServer) -> None:
    with Browserlike(modelless_server) as tab:
        before = time.monotonic()
        assert tab.close_code() == 4408
        assert 4 < time.monotonic() - before < 8


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_page_of_another_site_is_told_why(modelless_server: LiveServer, origin: str) -> None:
    with Browserlike(modelless_server, origin=origin) as tab:
        # Only the first frame says which website a page belongs to.
        tab.send({"type": "hello", "v": 1})
        assert tab.next()["code"] == "origin_not_allowed"
        assert tab.close_code() == 4403


def test_subprotocol(modelless_server: LiveServer) -> None:
    from websockets.sync.client import connect

    url, origin = modelless_server.ws_url, modelless_server.url
    tab = Browserlike(modelless_server)
    with connect(url, origin=origin) as tab.line:  # type: ignore[arg-type]
        assert tab.hello(), "a client that names none is taken to speak ours"
    old = ["chat.v0"]
    with connect(url, origin=origin, subprotocols=old) as tab.line:  # type: ignore[arg-type]
        assert tab.next()["code"] == "unsupported_version"
        assert tab.close_code() == 4406


def test_other_addresses_are_refused_quietly(modelless_server: LiveServer) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    url = modelless_server.ws_url.replace("/ws/chat/", "/ws/nothing/")
    with pytest.raises(InvalidStatus), connect(url):
        pass
    assert "Traceback" not in modelless_server.log_text()


def test_oversized_frame_ends_only_its_own_line(modelless_server: LiveServer) -> None:
    with Browserlike(modelless_server) as tab, Browserlike(modelless_server) as other:
        other.hello()
        tab.hello()
        tab.send("x" * 20_000)
        assert tab.next()["code"] == "bad_frame"
        tab.send("x" * 70_000)
        tab.close_code()
        other.send({"type": "ping", "n": 5})
        assert other.next() == {"type": "pong", "n": 5}


def test_without_a_model_the_site_runs_and_says_so(modelless_server: LiveServer) -> None:
    cookie = visitor_cookie(modelless_server)
    with Browserlike(modelless_server, cookie) as tab:
        assert tab.hello()["pool"] == {
            "state": "failed",
            "text": "The assistant has no model yet.",
        }
        tab.ask("Hello?")
        ack = tab.until("message.ack")
        error = tab.until_end()
    assert (error["code"], error["text"]) == ("no_model", "The assistant has no model yet.")
    path = f"/api/v1/conversations/{ack['conversation']}/"
    question, answer = fetch(modelless_server, path, cookie)["messages"]
    assert (question["text"], answer["state"]) == ("Hello?", "failed")
    log = modelless_server.log_text()
    assert "/nowhere/model.gguf" in log and "Traceback" not in log
    assert "Hello?" not in log, "no visitor's text in the log"


def test_pool_killed_in_the_middle_of_an_answer(paced_server: LiveServer) -> None:
    pool = paced_server.pool_pid()
    with Browserlike(paced_server) as tab:
        tab.hello()
        gen = tab.ask(LONG_QUESTION)
        before = tab.until_shown(gen, 10)
        os.kill(pool, signal.SIGKILL)
        done = tab.until_end()
        assert done["type"] == "gen.done", done
        assert 0 < len(before) < done["chars"] == len(tab.shown(gen))
        assert paced_server.pool_pid(unlike=pool) != pool
        second = tab.ask("Hello?")
        tab.until_end()
        assert tab.shown(second), "the next question is answered"


def test_web_process_killed_in_the_middle_of_an_answer() -> None:
    """The question and the text so far are there afterwards, marked as interrupted."""
    with live_server_process(max_tok_s=15, wait_for_model=True) as server:
        cookie = visitor_cookie(server)
        with Browserlike(server, cookie) as tab:
            tab.hello()
            gen = tab.ask(LONG_QUESTION)
            ack = tab.until("message.ack")
            tab.until_shown(gen, 5)
            time.sleep(FLUSH_S + 0.5)
            pool = server.pool_pid()
            server.process.kill()
            server.process.wait(10)
            deadline = time.monotonic() + 10
            while psutil.pid_exists(pool) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not psutil.pid_exists(pool), "the pool does not outlive its parent"
        shown = tab.shown(gen)
        done = server.manage(
            "shell",
            "-v0",
            "-c",
            "from apps.ai_chat.models import Message;"
            f"m = Message.objects.get(generation='{gen}');"
            "print(m.question.text, m.state, len(m.text), sep='|')",
        )
        question, state, num_chars = done.stdout.strip().splitlines()[-1].split("|")
        assert (question, state) == (LONG_QUESTION, "streaming")
        assert int(num_chars) > 0 and ack["conversation"] and shown


def test_polite_end_keeps_the_text_and_says_goodbye() -> None:
    with live_server_process(max_tok_s=15, wait_for_model=True) as server:
        with Browserlike(server) as tab:
            tab.hello()
            gen = tab.ask(LONG_QUESTION)
            shown = tab.until_shown(gen, 10)
            server.process.send_signal(signal.SIGTERM)
            assert tab.until("bye")["retry_after_s"] > 0
            assert tab.close_code() in (4503, 1006)
            assert server.process.wait(15) in (0, -signal.SIGTERM)
        done = server.manage(
            "shell",
            "-v0",
            "-c",
            "from apps.ai_chat.models import Message;"
            f"print(Message.objects.get(generation='{gen}').text)",
        )
        assert done.stdout.strip().endswith(shown.strip()) or shown in done.stdout


def test_second_server_on_the_same_port(modelless_server: LiveServer) -> None:
    import subprocess
    import sys

    port = str(modelless_server.port)
    done = subprocess.run(
        [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", port, "backend.asgi:application"],
        env=modelless_server.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "in use" in (done.stdout + done.stderr).lower()
    assert modelless_server.get("/health/live")[0] == 200
