"""More may knock at once than Twisted would let."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
import twisted.internet
from twisted.internet import tcp

from backend.listen_backlog import raise_backlog

NUM_CLIENTS = 60


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[tcp.Port]:
    """A port of a reactor that takes nobody; one connection may wait."""
    port = tcp.Port.__new__(tcp.Port)
    port.socket = socket.create_server(("127.0.0.1", 0), backlog=1)
    reactor = SimpleNamespace(getReaders=lambda: [object(), port])
    monkeypatch.setitem(sys.modules, "twisted.internet.reactor", reactor)
    monkeypatch.setattr(twisted.internet, "reactor", reactor, raising=False)
    yield port
    port.socket.close()


def test_a_crowd_waits_to_be_taken(port: tcp.Port) -> None:
    raise_backlog()
    with ExitStack() as clients:
        for _ in range(NUM_CLIENTS):
            client = clients.enter_context(socket.socket())
            # Whoever is dropped would try again after a second.
            client.settimeout(0.9)
            client.connect(port.socket.getsockname())


def test_a_socket_that_refuses_stops_nothing(port: tcp.Port) -> None:
    port.socket.close()
    port.backlog = 50
    raise_backlog()


def test_under_other_servers_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "twisted.internet.reactor", raising=False)
    raise_backlog()
