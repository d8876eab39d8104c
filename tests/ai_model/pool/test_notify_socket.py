"""What the service manager hears, and that nobody suffers when it does not listen."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_model.pool.notify_socket import NotifySocket


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's end, and what it would put into NOTIFY_SOCKET."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@corral-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        line.settimeout(5)
        yield line, name


def test_its_words(manager: tuple[socket.socket, str]) -> None:
    """One message each; a sentence stays on one line."""
    line, name = manager
    notify = NotifySocket({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"})
    assert notify.watchdog_s == 30
    for tell in (notify.ready, notify.alive, notify.stopping):
        tell()
    notify.say("It is\nloading.")
    heard = [line.recv(1000) for _ in range(4)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1", b"STATUS=It is loading."]


def test_nobody_listens() -> None:
    """No manager, a manager that is gone, an address that cannot be one: nothing happens."""
    for name in ("", "/nowhere/notify", "@" + "x" * 300, "a\0b"):
        notify = NotifySocket({"NOTIFY_SOCKET": name})
        notify.ready()
        notify.say("Hello.")
        notify.alive()


def test_a_manager_that_does_not_read_is_not_waited_for(tmp_path: Path) -> None:
    """Its buffer is full at some time."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        notify = NotifySocket({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for _ in range(3000):
            notify.ready()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "2000000"}, 2),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}, 2),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "many"}, 0),
        ({"WATCHDOG_USEC": "-5"}, 0),
    ],
)
def test_the_watchdog_is_ours_or_not(environ: dict[str, str], seconds: float) -> None:
    """A number meant for another process, or none, is no watchdog."""
    assert NotifySocket(environ).watchdog_s == seconds
