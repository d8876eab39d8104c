"""Large bodies at a real Daphne: refused while they come, and none of it is kept."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MB = 1024 * 1024


@pytest.fixture
def server(modelless_server: LiveServer) -> LiveServer:
    return modelless_server


def connect(server: LiveServer) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    return line


def head(server: LiveServer, path: str, *more: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *more)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(line: socket.socket) -> bytes:
    """Everything until the end of the line."""
    seen = b""
    with suppress(OSError):
        while piece := line.recv(65536):
            seen += piece
    return seen


def rss(server: LiveServer) -> int:
    return int(psutil.Process(server.pid).memory_info().rss)


def peak(server: LiveServer) -> int:
    """The most memory the web process ever had, in bytes."""
    text = Path(f"/proc/{server.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024


@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("/api/v1/chat/sessions/", b'"too_big"'),
        ("/v1/chat/completions?x=1", b'"request_too_large"'),
        ("/language/", b"The request is too big."),
    ],
)
def test_a_told_length_is_refused_before_the_body(
    server: LiveServer, path: str, mark: bytes
) -> None:
    """At once, also for who waits to be asked for it."""
    with connect(server) as line:
        before = time.monotonic()
        line.sendall(head(server, path, f"Content-Length: {300 * MB}", "Expect: 100-continue"))
        first = line.recv(65536)
        assert time.monotonic() - before < 1.5
        assert first.startswith(b"HTTP/1.1 413 ") and mark in first + answer(line)
        assert b"100 Continue" not in first


def test_nothing_of_it_is_kept(server: LiveServer) -> None:
    """Neither of one that tells its length nor of one in pieces; others are served meanwhile."""
    piece = b"x" * MB
    # A first request has loaded whatever requests load.
    assert server.get("/health/live")[0] == 200
    before = peak(server)
    for headers, framed in (
        ((f"Content-Length: {200 * MB}",), piece),
        (("Transfer-Encoding: chunked",), f"{MB:x}\r\n".encode() + piece + b"\r\n"),
    ):
        with connect(server) as line:
            line.sendall(head(server, "/api/v1/chat/sessions/", *headers))
            line.settimeout(5)
            with suppress(OSError):  # it hangs up in the middle
                for _ in range(200):
                    line.sendall(framed)
                if framed is not piece:
                    line.sendall(b"0\r\n\r\n")
            answer(line)  # it has been taken as a whole now, if it is taken at all
            assert server.get("/health/live")[0] == 200
    most = peak(server) - before
    assert most < 24 * MB, f"{most / MB:.0f} MB"


def test_what_is_within_the_limit_arrives_in_pieces_too(server: LiveServer) -> None:
    with connect(server) as line:
        line.sendall(head(server, "/api/v1/nothing/", "Transfer-Encoding: chunked"))
        for _ in range(3):
            line.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
        line.sendall(b"0\r\n\r\n")
        assert line.recv(65536).startswith(b"HTTP/1.1 404 ")


def test_a_refused_line_ends_soon(server: LiveServer) -> None:
    """Whoever neither sends on nor hangs up does not hold it."""
    with connect(server) as line:
        line.sendall(head(server, "/language/", f"Content-Length: {MB}"))
        before = time.monotonic()
        answer(line)
        assert time.monotonic() - before < 6


def test_many_half_open_requests_cost_little_and_disturb_nobody(server: LiveServer) -> None:
    """Headers without an end, and bodies that never come."""
    before = rss(server)
    lines = [connect(server) for _ in range(300)]
    try:
        for number, line in enumerate(lines):
            if number % 2:
                line.sendall(head(server, "/language/", "Content-Length: 60000") + b"x" * 1000)
            else:
                line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        slowest = 0.0
        for _ in range(10):
            began = time.monotonic()
            assert server.get("/health/live")[0] == 200
            slowest = max(slowest, time.monotonic() - began)
        cost = (rss(server) - before) / len(lines)
        print(f"{cost / 1024:.0f} KB each, slowest answer {slowest * 1000:.0f} ms")
        assert cost < 160 * 1024 and slowest < 3
    finally:
        for line in lines:
            line.close()
