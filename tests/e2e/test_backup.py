"""A server dies while its visitors write; what it had acknowledged is in the backup."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.browserlike import Browserlike, visitor_cookie
from tests.live import LiveServer, live_server_process, run_manage

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
            target = empty_dir / name
            file = json.loads(done.stdout)["path"]
            restored = server.manage("restore", file, "--to", str(target))
            assert restored.returncode == 0, restored.stderr
            assert set(expected) <= set(questions_in(target / "db.sqlite3"))
            assert (target / "secret_key").read_text() == key
            env = server.env | {"CORRAL_VAR_DIR": str(target)}
            assert run_manage(env, "migrate", "--check").returncode == 0


def test_visitors_stay_who_they_are(empty_dir: Path) -> None:
    """A new server on the restored directory knows the visitor's cookie and conversation."""
    with live_server_process(CORRAL_MODEL_PATH="/nowhere/model.gguf") as server:
        cookie = visitor_cookie(server)
        with Browserlike(server, cookie) as tab:
            tab.hello()
            tab.ask("Do you remember me?")
            conversation = tab.until("message.ack")["conversation"]
        file = json.loads(server.manage("backup", "--json").stdout)["path"]
        refused = server.manage("restore", file, "--force")
        assert refused.returncode == 2 and "The server is running" in refused.stderr
        restored = server.manage("restore", file, "--to", str(empty_dir / "var"))
        assert restored.returncode == 0, restored.stderr
        env = server.env | {"CORRAL_VAR_DIR": str(empty_dir / "var"), "COOKIE": cookie}
    asked = run_manage(env, "shell", "--verbosity", "0", "-c", ASK)
    assert conversation in asked.stdout, asked.stdout + asked.stderr


ASK = """
import os
from http.cookies import SimpleCookie
from django.test import Client
client = Client(headers={"cookie": os.environ["COOKIE"]}, SERVER_NAME="localhost")
print(client.get("/api/v1/conversations/").content.decode())
"""


def questions_in(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT text FROM ai_chat_message WHERE role = 'user'")
        return [text for (text,) in rows]
