"""Thousands of requests leave nothing behind."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace

import psutil
import pytest

from ai_model.engine import Engine, EngineRequest
from tests.ai_model.engine.conftest import Collector, MakeEngine, make_request

NUM_REQUESTS = 10_000
NUM_CLIENTS = 4
LEAK_BYTES = 3 * 1024 * 1024


@pytest.mark.timeout(400)
def test_ten_thousand_requests_keep_memory_flat(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=NUM_CLIENTS, parked_bytes=1_000_000)
    request = make_request(engine, "x", "hello there", max_tokens=5)
    _ask_many(engine, request, 100)
    before = _memory()
    _ask_many(engine, request, NUM_REQUESTS)
    assert _memory() - before <= LEAK_BYTES


def _ask_many(engine: Engine, request: EngineRequest, count: int) -> None:
    """Ask from several threads, each a visitor with ever new conversations."""

    def ask(client: int) -> None:
        for number in range(count // NUM_CLIENTS):
            name = f"{client}/{count}/{number}"
            collector = Collector()
            mine = replace(request, id=name, conversation=name, visitor=str(client))
            engine.submit(mine, collector)
            collector.finish()

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(NUM_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _memory() -> int:
    gc.collect()
    return int(psutil.Process().memory_full_info().uss)
