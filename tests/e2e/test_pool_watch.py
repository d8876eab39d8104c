"""Watching the pool at a real server: events and sockets, its death, sign-out and the end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.event_reader import EventReader
from tests.live import LiveServer, live_server_process
from tests.staff_session import staff_session

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server_process(wait_for_model=True, CORRAL_POOL_WATCHERS="2") as running:
        yield running


class Events:
    """Reads /pool/events, an event at a time."""

    def __init__(self, server: LiveServer, session: str = "", query: str = "") -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
        headers = {"Cookie": f"sessionid={session}"} if session else {}
        self._line.request("GET", "/pool/events" + query, headers=headers)
        self.answer = self._line.getresponse()
        self._reader = EventReader()
        self._found: list[dict[str, Any]] = []

    def next(self) -> dict[str, Any] | None:
        """The next event, or None at the end."""
        while not self._found:
            piece = self.answer.read1(65536)
            if not piece:
                return None
            self._found = self._reader.feed(piece)
        return self._found.pop(0)

    def until(self, **values: Any) -> dict[str, Any]:
        """Read up to an event with these values."""
        ends_at = time.monotonic() + TIMEOUT_S
        while time.monotonic() < ends_at:
            event = self.next()
            assert event is not None, "it ended"
            if all(event.get(name) == value for name, value in values.items()):
                return event
        raise AssertionError(f"no {values}")

    def close(self) -> None:
        self.answer.close()
        self._line.close()


@contextmanager
def events(server: LiveServer, session: str = "", query: str = "") -> Iterator[Events]:
    reader = Events(server, session, query)
    try:
        yield reader
    finally:
        reader.close()


def open_socket(server: LiveServer, session: str = "", *, is_own_page: bool = True) -> Any:
    origin: Any = server.url if is_own_page else "https://elsewhere.example"
    headers = {"Cookie": f"sessionid={session}"} if session else {}
    url = f"ws://127.0.0.1:{server.port}/ws/pool?every=1"
    return connect(url, origin=origin, additional_headers=headers)


def heard(socket: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(socket.recv(timeout=TIMEOUT_S))
    return found


def test_both_lines_tell_the_same(server: LiveServer) -> None:
    session = staff_session(server)
    with events(server) as public, open_socket(server) as socket:
        first = public.next()
        assert first is not None and first["state"] == "ready" and "pid" not in first
        assert {**heard(socket), "now": 0} == {**first, "now": 0}
    with events(server, session) as staff, open_socket(server, session) as socket:
        everything = staff.next()
        assert everything is not None
        assert everything["pid"] == heard(socket)["pid"] == server.pool_pid()
        assert staff.next() is not None, "staff hear every second that all is as it was"
    with open_socket(server, session, is_own_page=False) as socket:
        assert "pid" not in heard(socket), "a page of another site is the public"


def test_places_are_bounded_and_come_back(server: LiveServer) -> None:
    with events(server) as one, events(server) as two:
        assert one.next() and two.next()
        with events(server) as three:
            assert three.answer.status == 503
            assert int(three.answer.headers["Retry-After"]) > 0
        with open_socket(server) as socket, pytest.raises(ConnectionClosed) as closed:
            heard(socket)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4429
    ends_at = time.monotonic() + TIMEOUT_S
    while time.monotonic() < ends_at:
        with events(server) as again:
            if again.answer.status == 200:
                return
        time.sleep(0.05)
    raise AssertionError("who has gone still holds a place")


def test_a_pool_that_dies_is_told_down_and_back(server: LiveServer) -> None:
    with events(server) as public:
        public.until(state="ready")
        before = server.pool_pid()
        # It hangs first: a new one might be there before anybody has looked.
        os.kill(before, signal.SIGSTOP)
        try:
            public.until(state="down")
        finally:
            os.kill(before, signal.SIGKILL)
        public.until(state="ready")
        assert server.pool_pid() != before


def test_a_pool_that_hangs_holds_up_no_page(server: LiveServer) -> None:
    """Stopped in the middle of anything, as when it computes or loads and answers nobody."""
    pool_pid = server.pool_pid()
    os.kill(pool_pid, signal.SIGSTOP)
    try:
        answers = {}
        for path in ("/health/assistant", "/pool/", "/health/live", "/health/ready", "/"):
            begun = time.monotonic()
            answers[path] = server.get(path)[0]
            patience_s = 8 if path in ("/health/assistant", "/pool/") else 2
            assert time.monotonic() - begun < patience_s, path
    finally:
        os.kill(pool_pid, signal.SIGCONT)
    assert answers.pop("/health/assistant") == 503
    assert set(answers.values()) == {200}
    server.wait_until_answering()
    assert json.loads(server.get("/health/deep", timeout_s=20)[1]) == {"status": "ok"}


def test_a_sign_out_ends_what_staff_watch(server: LiveServer) -> None:
    session = staff_session(server)
    with events(server, session) as staff, open_socket(server, session) as socket:
        staff.until(type="status")
        heard(socket)
        _sign_out(server, session)
        assert staff.until(type="bye")["why"] == "signed_out"
        assert staff.next() is None
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                heard(socket)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401


def test_the_end_of_the_server_is_told(server: LiveServer) -> None:
    """The last test of this file: the server is gone afterwards."""
    with events(server) as public, open_socket(server) as socket:
        public.until(type="status")
        heard(socket)
        begun = time.monotonic()
        threading.Timer(0.1, lambda: server.process.send_signal(signal.SIGTERM)).start()
        assert public.until(type="bye")["why"] == "closing"
        assert public.next() is None
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                heard(socket)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4503
        server.process.wait(TIMEOUT_S)
        assert time.monotonic() - begun < 10


def _sign_out(server: LiveServer, session: str) -> None:
    """As the admin's button does."""
    page = urllib.request.Request(
        f"{server.url}/admin/logout/",
        data=b"csrfmiddlewaretoken=" + b"x" * 32,
        headers={
            "Cookie": f"sessionid={session}; csrftoken={'x' * 32}",
            "Referer": f"{server.url}/admin/",
        },
    )
    with urllib.request.urlopen(page, timeout=TIMEOUT_S) as answer:
        assert answer.status == 200
