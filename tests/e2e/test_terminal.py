"""``manage.py chat``: through a running server, with a pool of its own, and without either."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live import DEMO_MODEL, ROOT, LiveServer, live_env, run_manage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
TALK = "Hello, who are you?\n/pool\n/new\n/nonsense\n/help\n/quit\nnever read\n"


def test_through_the_running_server(paced_server: LiveServer) -> None:
    done = run_manage(paced_server.env, "chat", stdin=TALK)
    assert done.returncode == 0, done.stderr
    assert "You talk to an AI: Corral Demo" in done.stdout
    assert "Pool Status:\n   Available: 4/4\n   In Use: 0\n   Waiting: 0" in done.stdout
    assert "A new conversation." in done.stdout and "There is no command /nonsense" in done.stdout
    assert done.stdout.index("Pool Status") > len("You talk to an AI: Corral Demo") + 40
    assert "Traceback" not in done.stderr


def test_with_a_pool_of_its_own(tmp_path: Path) -> None:
    if not DEMO_MODEL.is_file():
        pytest.skip("the demo model is not there")
    done = run_manage(live_env(tmp_path), "chat", "--local", stdin="Hello, who are you?\n")
    assert done.returncode == 0, done.stderr
    assert "demo.gguf" in done.stdout and len(done.stdout) > 80
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "model", "sentence"),
    [
        ([], "", "No pool is running here. Start the server with `make run`"),
        (["--local"], "/nowhere/model.gguf", "The assistant has no model yet: "),
    ],
)
def test_without_pool_or_model_is_one_sentence(
    tmp_path: Path, arguments: list[str], model: str, sentence: str
) -> None:
    env = live_env(tmp_path, CORRAL_MODEL_PATH=model)
    done = run_manage(env, "chat", *arguments, stdin="Hello?\n")
    assert done.returncode == 3
    assert sentence in done.stderr and "Traceback" not in done.stderr


def test_server_without_a_model(modelless_server: LiveServer) -> None:
    done = run_manage(modelless_server.env, "chat", stdin="Hello?\n")
    assert done.returncode == 3 and "Traceback" not in done.stderr


def test_too_long_a_question_is_a_sentence(paced_server: LiveServer) -> None:
    done = run_manage(paced_server.env, "chat", stdin="x" * 5000 + "\n")
    assert "1000 characters over the limit" in done.stdout
    assert done.returncode == 1


def test_interrupt_stops_the_answer_and_not_the_chat(paced_server: LiveServer) -> None:
    """At a real terminal: Ctrl-C during an answer, then another question, then Ctrl-D."""
    main, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "chat"],
        env=paced_server.env | {"TERM": "dumb"},
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    try:
        _read_until(main, b"> ")
        os.write(main, b"Tell me about the pool.\n")
        _read_until(main, b"\n")
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        assert b"(stopped)" in _read_until(main, b"> ")
        os.write(main, b"/pool\n")
        assert b"In Use: 0" in _read_until(main, b"> ")
        os.write(main, b"/quit\n")
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(5)
        os.close(main)


def _read_until(terminal: int, mark: bytes, timeout_s: float = 20) -> bytes:
    os.set_blocking(terminal, False)
    seen, deadline = b"", time.monotonic() + timeout_s
    while not seen.endswith(mark):
        assert time.monotonic() < deadline, f"no {mark!r} in {seen!r}"
        try:
            seen += os.read(terminal, 1 if mark == b"\n" else 4096)
        except BlockingIOError:
            time.sleep(0.02)
    return seen
