"""Two web processes on one runpool: both answer, and each part may end while the others go on."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.browserlike import Browserlike, fetch, visitor_cookie
from tests.live import DEMO_MODEL, ROOT, LiveServer, live_env, live_server_process
from tests.stores import fresh_stores

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.stores, pytest.mark.timeout(180)]
LONG_QUESTION = "Tell me about the pool."
PACE = 15.0


@dataclass
class RunPool:
    """A pool that may be started and ended again and again at the same place."""

    directory: Path
    stores: dict[str, str] = field(default_factory=dict)
    """Where its web processes keep what they share, if not in their directory."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.directory / "pool.sock"

    @property
    def settings(self) -> dict[str, str]:
        """What its web processes have in common."""
        return self.stores | {
            "CORRAL_VAR_DIR": str(self.directory / "web"),
            "CORRAL_POOL_URL": f"unix://{self.socket}",
        }

    def start(self) -> None:
        """Start it; returns when its socket is there."""
        var_dir = self.directory / "pool"
        var_dir.mkdir(exist_ok=True)
        with (self.directory / "pool.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "runpool", "--socket", str(self.socket)],
                cwd=ROOT,
                env=live_env(var_dir, max_tok_s=PACE),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 40
        while not self.socket.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log_text()
            time.sleep(0.05)

    @property
    def child(self) -> psutil.Process:
        """The process with the model."""
        assert self.process is not None
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit code; its child must be gone as well."""
        assert self.process is not None
        child = self.child
        self.process.send_signal(number)
        code = self.process.wait(20)
        child.wait(5)
        return code

    def log_text(self) -> str:
        """What it has written."""
        return (self.directory / "pool.log").read_text(errors="replace")


@pytest.fixture(scope="module")
def pool() -> Iterator[RunPool]:
    """A running pool."""
    if not DEMO_MODEL.is_file():
        pytest.skip("the demo model is not there; `make demo-model` trains it")
    directory = Path(tempfile.mkdtemp(prefix="corral-", dir="/tmp"))
    with fresh_stores() as stores:
        pool = RunPool(directory, stores)
        try:
            pool.start()
            yield pool
            assert pool.stop() == 0
            assert not pool.socket.exists()
            assert "Traceback" not in pool.log_text()
        finally:
            if pool.process is not None:
                pool.process.kill()
                pool.process.wait(10)
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def first(pool: RunPool) -> Iterator[LiveServer]:
    """A web process."""
    with web_process(pool) as server:
        yield server


@contextlib.contextmanager
def web_process(pool: RunPool) -> Iterator[LiveServer]:
    """A web process of the site; it must not start a pool of its own."""
    with live_server_process(wait_for_model=True, max_tok_s=PACE, **pool.settings) as server:
        yield server
        assert server.find_pool_pid() is None


@pytest.fixture
def second(first: LiveServer, pool: RunPool) -> Iterator[LiveServer]:
    """Another web process, for a test that may kill it."""
    with web_process(pool) as server:
        yield server


def check_answer(tab: Browserlike, gen: str) -> dict[str, Any]:
    """Read an answer to its end: whole, without a gap; returns the last frame."""
    done = tab.until_end(60)
    assert done["type"] == "gen.done", done
    assert 0 < done["chars"] == len(tab.shown(gen))
    return done


def stored_text(server: LiveServer, cookie: str, conversation: str) -> str:
    """The last answer of a conversation, as a web process has stored it."""
    messages = fetch(server, f"/api/v1/conversations/{conversation}/", cookie)["messages"]
    return str(messages[-1]["text"])


def test_both_answer_and_each_can_follow_the_others_answers(
    first: LiveServer, second: LiveServer
) -> None:
    cookie = visitor_cookie(first)
    with Browserlike(first, cookie) as tab, Browserlike(second, cookie) as elsewhere:
        tab.hello()
        elsewhere.hello()
        gen = tab.ask(LONG_QUESTION)
        conversation = tab.until("message.ack")["conversation"]
        tab.until_shown(gen, 5)
        elsewhere.send({"type": "gen.resume", "gen": gen, "after": 0})
        other = elsewhere.ask("Hello?")
        check_answer(tab, gen)
        ends = [elsewhere.until_end(60) for _ in range(2)]
        assert {end["gen"] for end in ends} == {gen, other}
        assert elsewhere.shown(gen) == tab.shown(gen)
        assert elsewhere.shown(other)
    assert stored_text(second, cookie, conversation) == tab.shown(gen)
    for server in (first, second):
        status, body = server.get("/health/assistant")
        assert status == 200 and json.loads(body)


def test_a_killed_web_process_leaves_the_other_one_working(
    first: LiveServer, second: LiveServer
) -> None:
    """And its answer is finished by the pool, where the visitor finds it again."""
    cookie = visitor_cookie(first)
    with Browserlike(second, cookie) as tab:
        tab.hello()
        gen = tab.ask(LONG_QUESTION)
        conversation = tab.until("message.ack")["conversation"]
        shown = tab.until_shown(gen, 10)
        second.process.kill()
        second.process.wait(10)
    with Browserlike(first, cookie) as tab:
        tab.hello(resume=[{"gen": gen, "after": 0}])
        check_answer(tab, gen)
        assert tab.shown(gen).startswith(shown) and len(tab.shown(gen)) > len(shown)
        again = tab.ask("Hello?", conversation=conversation)
        check_answer(tab, again)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restarted_pool_is_survived(pool: RunPool, first: LiveServer, number: int) -> None:
    """The answer goes on behind what was shown, and questions asked meanwhile are answered."""
    with Browserlike(first) as tab, Browserlike(first) as other:
        tab.hello()
        other.hello()
        gen = tab.ask(LONG_QUESTION)
        shown = tab.until_shown(gen, 10)
        code = pool.stop(number)
        assert code == (0 if number == signal.SIGTERM else -number)
        assert first.get("/health/assistant")[0] == 503
        assert first.get("/health/live")[0] == 200
        later = other.ask("Hello?")
        pool.start()
        check_answer(tab, gen)
        check_answer(other, later)
        assert tab.shown(gen).startswith(shown)


def test_the_pool_process_killed_below_its_parent(pool: RunPool, first: LiveServer) -> None:
    """The parent replaces it, and the web process hands in again what it produced."""
    with Browserlike(first) as tab:
        tab.hello()
        gen = tab.ask(LONG_QUESTION)
        shown = tab.until_shown(gen, 10)
        child = pool.child
        child.kill()
        check_answer(tab, gen)
        assert tab.shown(gen).startswith(shown)
        assert pool.child.pid != child.pid
    assert "It is started again at once" in pool.log_text()
