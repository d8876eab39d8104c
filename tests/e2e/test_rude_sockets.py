"""Sockets that ping without end, send without end, or begin and stop, against a real Daphne."""

from __future__ import annotations

import base64
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest

from tests.e2e.browserlike import Browserlike
from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MB = 1024 * 1024
PATIENCE_S = 20.0


@pytest.fixture
def server(modelless_server: LiveServer) -> LiveServer:
    return modelless_server


def raw_socket(server: LiveServer, *, path: str = "/ws/chat/") -> socket.socket:
    """A WebSocket by hand that reads as little as TCP allows."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(PATIENCE_S)
    line.connect(("127.0.0.1", server.port))
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    )
    line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    seen = b""
    while b"\r\n\r\n" not in seen:
        piece = line.recv(512)
        assert piece, "the server closed"
        seen += piece
    return line


def frame(opcode: int, data: bytes) -> bytes:
    """One masked frame; the mask of zeros leaves the data as it is."""
    head = 0x80 | opcode
    if len(data) < 126:
        return struct.pack("!BB", head, 0x80 | len(data)) + bytes(4) + data
    if len(data) < 65536:
        return struct.pack("!BBH", head, 0x80 | 126, len(data)) + bytes(4) + data
    return struct.pack("!BBQ", head, 0x80 | 127, len(data)) + bytes(4) + data


def rss(server: LiveServer) -> int:
    return int(psutil.Process(server.pid).memory_info().rss)


def send_until_refused(line: socket.socket, data: bytes, most: int) -> bool:
    """Send ``data`` ``most`` times without reading; True when the server broke the line before."""
    try:
        for _ in range(most):
            line.sendall(data)
        line.settimeout(PATIENCE_S)
        while line.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def others_are_served(server: LiveServer) -> float:
    """Seconds until another visitor's socket is welcome, and a page is there."""
    began = time.monotonic()
    with Browserlike(server, "", origin=None) as tab:
        tab.hello()
    assert server.get("/health/live")[0] == 200
    return time.monotonic() - began


def test_pings_without_end_are_refused_and_fill_nothing(server: LiveServer) -> None:
    """Ten megabytes of them on each of ten lines; nobody reads the answers."""
    others_are_served(server)
    before = rss(server)
    pings = frame(0x9, b"x" * 125) * 500
    for _ in range(10):
        with raw_socket(server) as line:
            assert send_until_refused(line, pings, 160)
    assert rss(server) - before < 16 * MB
    assert others_are_served(server) < 10


def test_pings_as_programs_send_them_are_answered(server: LiveServer) -> None:
    with raw_socket(server) as line:
        for _ in range(20):
            line.sendall(frame(0x9, b"are you there?"))
            seen = b""
            while len(seen) < 2 + 14:
                seen += line.recv(512)
            assert seen[:2] == bytes((0x8A, 14)) and seen[2:] == b"are you there?"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: frame(0x1, b"x" * 60_000), id="large frames"),
        pytest.param(lambda: frame(0x1, b"x" * 70_000), id="a frame over the limit"),
        pytest.param(lambda: frame(0x1, b'{"type":"ping","n":1}') * 200, id="many small ones"),
        pytest.param(lambda: struct.pack("!BBQ", 0x81, 0xFF, 2**40) + bytes(4), id="a lie"),
    ],
)
def test_frames_without_end(server: LiveServer, data: Callable[[], bytes]) -> None:
    """The line is broken or closed; what was sent is not kept."""
    others_are_served(server)
    before = rss(server)
    with raw_socket(server) as line:
        assert send_until_refused(line, data(), 300)
    assert rss(server) - before < 24 * MB
    assert others_are_served(server) < 10


def test_handshakes_that_stop_half_way_disturb_nobody(server: LiveServer) -> None:
    """Neither those without an end of their headers, nor sockets that never say hello."""
    others_are_served(server)
    before = rss(server)
    lines = []
    try:
        for number in range(200):
            line = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
            lines.append(line)
            if number % 2:
                line.sendall(b"GET /ws/chat/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n")
        with suppress(AssertionError):  # over the limit of sockets of one address
            lines += [raw_socket(server) for _ in range(10)]
        assert others_are_served(server) < 10
        cost = (rss(server) - before) / len(lines)
        print(f"{cost / 1024:.0f} KB each")
        assert cost < 160 * 1024
    finally:
        for line in lines:
            line.close()
