"""Clients that never read what they ask for, against a real Daphne: what each of them costs."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psutil
import pytest

from tests.e2e.browserlike import Browserlike
from tests.live import LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(180)]

NUM_CLIENTS = 24
NUM_REQUESTS = 60
NUM_READ = 6
ANSWER_CHARS = 20_000
MAX_BYTES_PER_CLIENT = 256 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server_process(CORRAL_MODEL_PATH="/nowhere/model.gguf") as running:
        yield running


class SilentClient:
    """Speaks WebSocket by hand, takes as little as TCP allows, and reads nothing after hello."""

    def __init__(self, server: LiveServer, token: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", server.port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            "GET /ws/chat/ HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: chat.v1",
        )
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.read_until(b"\r\n\r\n")
        self.send({"type": "hello", "v": 1, "token": token})
        self.read_until(b'"welcome"')

    def send(self, frame: dict[str, object]) -> None:
        """Send a masked text frame; padded, for short ones are written in another way."""
        data, mask = json.dumps(frame | {"pad": "x" * 126}).encode(), secrets.token_bytes(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.socket.sendall(struct.pack("!BBH", 0x81, 0x80 | 126, len(data)) + mask + masked)

    def read_until(self, mark: bytes) -> None:
        seen = b""
        while mark not in seen:
            part = self.socket.recv(512)
            assert part, "the server closed"
            seen += part

    def is_closed(self) -> bool:
        """True once the server has dropped the line; what it sent before is read here."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(65536):
                pass
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def rss(server: LiveServer) -> int:
    return int(psutil.Process(server.pid).memory_info().rss)


def other_tokens(server: LiveServer, number: int) -> list[tuple[str, str]]:
    """Visitors who each have a long answer."""
    made = []
    for _ in range(number):
        with Browserlike(server, "", origin=None) as tab:
            token = tab.hello()["token"]
            made.append((token, tab.ask("Hello?")))
            tab.until_end()
    with Browserlike(server, "", origin=None) as tab:
        # The process remembers the last answers itself; these are to come from the database.
        tab.hello()
        for _ in range(33):
            tab.ask("Hello?")
            tab.until_end()
    program = (
        "from apps.ai_chat.models import Message; "
        f"Message.objects.filter(role='assistant').update(text='x' * {ANSWER_CHARS}, "
        "state='complete')"
    )
    assert server.manage("shell", "-c", program).returncode == 0
    return made


def test_client_that_never_reads_costs_little_and_is_closed(server: LiveServer) -> None:
    visitors = other_tokens(server, 2 * NUM_CLIENTS)
    empty = rss(server)
    with ExitStack() as stack:
        # The same number who ask for the same and read it: what sockets and answers cost anyway.
        for token, gen in visitors[NUM_CLIENTS:]:
            tab = stack.enter_context(Browserlike(server, "", origin=None))
            tab.hello(token=token)
            for _ in range(NUM_READ):
                tab.send({"type": "gen.resume", "gen": gen, "after": 9})
                assert len(tab.until("gen.snapshot")["text"]) == ANSWER_CHARS
        before = rss(server)
        clients = [SilentClient(server, token) for token, _ in visitors[:NUM_CLIENTS]]
        try:
            most, closed_s = ask_and_watch(server, clients, [gen for _, gen in visitors], before)
        finally:
            for client in clients:
                client.socket.close()
    reading = (before - empty) / NUM_CLIENTS
    silent = most / NUM_CLIENTS
    print(f"reads: {reading / 1024:.0f} KB, never reads: {silent / 1024:.0f} KB, ", end="")
    print(f"all closed after {closed_s:.1f} s")
    assert silent - reading <= MAX_BYTES_PER_CLIENT


def ask_and_watch(
    server: LiveServer, clients: list[SilentClient], gens: list[str], before: int
) -> tuple[int, float]:
    """Ask for more than anybody may hold; returns the most it took, and when all were closed."""
    num_others = num_sockets(server) - len(clients)
    asked = time.monotonic()
    for client, gen in zip(clients, gens, strict=False):
        for _ in range(NUM_REQUESTS):
            with suppress(OSError):
                client.send({"type": "gen.resume", "gen": gen, "after": 9})
    most, deadline = 0, asked + 40
    while num_sockets(server) > num_others:
        assert time.monotonic() < deadline, "they must be given up, whatever they do"
        most = max(most, rss(server) - before)
        time.sleep(0.1)
    assert all(client.is_closed() for client in clients)
    return most, time.monotonic() - asked


def num_sockets(server: LiveServer) -> int:
    """Open lines of the web process on its port."""
    lines = psutil.Process(server.pid).net_connections(kind="tcp")
    return sum(1 for line in lines if line.status == psutil.CONN_ESTABLISHED)
