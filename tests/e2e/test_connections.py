"""Connections to PostgreSQL: a crowd gets no more than the server's share, and none is kept."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from backend.postgresql.base import MAX_CONNECTIONS
from tests.e2e.browserlike import Browserlike
from tests.e2e.crowd import ask_at_once
from tests.live import LiveServer, live_server_process
from tests.stores import is_postgres, rows_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.stores,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not is_postgres(), reason="runs on PostgreSQL: make test-full"),
]
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'"


def num_connections(server: LiveServer) -> int:
    name = server.env["DATABASE_URL"].rpartition("/")[2]
    return int(
        rows_of(server.env | {"DATABASE_URL": os.environ["DATABASE_URL"]}, COUNT.format(name))[0][0]
    )


def test_a_crowd_shares_a_few_connections_and_leaves_none() -> None:
    with live_server_process(CORRAL_MODEL_PATH="/nowhere/model.gguf") as server:
        made = server.manage("apikey", "create", "crowd", "--requests-per-minute", "0")
        most, is_over = 0, threading.Event()

        def watch() -> None:
            nonlocal most
            while not is_over.wait(0.02):
                most = max(most, num_connections(server))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            outcome = asyncio.run(ask_at_once(server.url, made.stdout.strip(), 120))
            with Browserlike(server) as tab:
                tab.hello()
                tab.ask("Hello?")
                tab.until_end()
        finally:
            is_over.set()
            watcher.join(20)
        assert outcome.broken == [] and {reply.status for reply in outcome.replies} <= {429, 503}
        assert 0 < most <= MAX_CONNECTIONS
        ends_at = time.monotonic() + 10
        while num_connections(server):
            assert time.monotonic() < ends_at, "somebody keeps a connection"
            time.sleep(0.05)
