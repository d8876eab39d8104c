"""A server dies while its visitors write; what it had acknowledged is in the backup."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.browserlike import Browserlike, visitor_cookie
from tests.live import LiveServer, live_server_process, run_manage
from tests.stores import fresh_stores, rows_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


class Writer(threading.Thread):
    """A visitor who asks without a pause and notes which questions were acknowledged."""

    def __init__(self, server: LiveServer, name: str) -> None:
        super().__init__(name=name)
        self.acknowledged: list[str] = []
        self.has_enough = threading.Event()
        self._server = server

    def run(self) -> None:
        """Ask until the line breaks."""
        number = 0
        with contextlib.suppress(Exception), Browserlike(self._server) as tab:
            tab.hello()
            while True:
                text = f"{self.name} {number}"
                number += 1
                tab.ask(text)
                if tab.until("message.ack", "error")["type"] == "message.ack":
                    self.acknowledged.append(text)
                tab.until("gen.error", "gen.done")
                if len(self.acknowledged) >= 8:
                    self.has_enough.set()


@pytest.fixture
def empty_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        yield Path(name)


def test_every_acknowledged_message_is_there(empty_dir: Path) -> None:
    """One backup during the writes, one of what a killed server left; both are complete."""
    with live_server_process(CORRAL_MODEL_PATH="/nowhere/model.gguf") as server:
        writers = [Writer(server, f"visitor{number}") for number in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            assert writer.has_enough.wait(60), server.log_text()
        before = [text for writer in writers for text in writer.acknowledged]
        during = server.manage("backup", "--json")
        after_backup = sum(len(writer.acknowledged) for writer in writers)
        os.kill(server.pid, signal.SIGKILL)
        for writer in writers:
            writer.join(30)
        assert after_backup > len(before), "nobody wrote while the backup was made"
        acknowledged = [text for writer in writers for text in writer.acknowledged]
        after = server.manage("backup", "--json")
        assert (during.returncode, after.returncode) == (0, 0), during.stderr + after.stderr
        key = (server.var_dir / "secret_key").read_text()

        for name, done, expected in (("a", during, before), ("b", after, acknowledged)):
            with restored(server, done.stdout, empty_dir / name) as env:
                questions = rows_of(env, "SELECT text FROM ai_chat_message WHERE role = 'user'")
                assert set(expected) <= {text for (text,) in questions}
                assert (empty_dir / name / "secret_key").read_text() == key
                assert run_manage(env, "migrate", "--check").returncode == 0


def test_visitors_stay_who_they_are(empty_dir: Path) -> None:
    """A new server on the restored directory knows the visitor's cookie and conversation."""
    with live_server_process(CORRAL_MODEL_PATH="/nowhere/model.gguf") as server:
        cookie = visitor_cookie(server)
        with Browserlike(server, cookie) as tab:
            tab.hello()
            tab.ask("Do you remember me?")
            conversation = tab.until("message.ack")["conversation"]
        made = server.manage("backup", "--json").stdout
        refused = server.manage("restore", json.loads(made)["path"], "--force")
        assert refused.returncode == 2 and "The server is running" in refused.stderr
        with restored(server, made, empty_dir / "var") as env:
            asked = run_manage(env | {"COOKIE": cookie}, "shell", "--verbosity", "0", "-c", ASK)
            assert conversation in asked.stdout, asked.stdout + asked.stderr


ASK = """
import os
from http.cookies import SimpleCookie
from django.test import Client
client = Client(headers={"cookie": os.environ["COOKIE"]}, SERVER_NAME="localhost")
print(client.get("/api/v1/conversations/").content.decode())
"""


@contextlib.contextmanager
def restored(server: LiveServer, made: str, target: Path) -> Iterator[dict[str, str]]:
    """The settings of a site that was restored from a backup: in a new directory, and where there
    is a PostgreSQL, in an empty database of it."""
    file = json.loads(made)["path"]
    with fresh_stores() as stores:
        env = server.env | stores | {"CORRAL_VAR_DIR": str(target)}
        if "DATABASE_URL" in stores:
            done = run_manage(env, "restore", file)
        else:
            done = server.manage("restore", file, "--to", str(target))
        assert done.returncode == 0, done.stderr
        yield env
