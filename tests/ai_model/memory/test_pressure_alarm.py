"""The kernel wakes whoever waits for memory to get tight."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_model.memory import pressure_alarm
from ai_model.memory.pressure_alarm import PressureAlarm


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """An alarm listens to the other end; urgent data is the event the kernel rings with."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    monkeypatch.setattr(pressure_alarm, "_armed", lambda path: far.detach())
    with near:
        yield near


def test_rings_for_a_selector(line: socket.socket) -> None:
    alarm = PressureAlarm(Path("any"))
    assert not alarm.take()
    assert select.select([alarm], [], [], 0)[0] == []
    line.send(b"!", socket.MSG_OOB)
    assert select.select([alarm], [], [], 5)[0] == [alarm]
    assert alarm.take(5)
    alarm.close()


def test_group_that_is_gone_rings_no_more(line: socket.socket) -> None:
    alarm = PressureAlarm(Path("any"))
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    line.close()
    assert select.select([alarm], [], [], 5)[0] == [alarm]
    assert not alarm.take(5)
    assert select.select([alarm], [], [], 0)[0] == []
    alarm.close()
    alarm.close()


def test_where_there_is_none(tmp_path: Path) -> None:
    assert PressureAlarm.opened(tmp_path / "missing") is None
    (tmp_path / "file").write_text("some avg10=0.00\n")
    assert PressureAlarm.opened(tmp_path / "file") is None


def test_real_kernel() -> None:
    try:
        alarm = PressureAlarm(Path("/proc/pressure/memory"))
    except OSError as error:
        pytest.skip(f"No trigger can be set here: {error}.")
    assert alarm.fileno() >= 0
    alarm.close()
