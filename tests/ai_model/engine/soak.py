"""Asks an engine thousands of questions and prints by how many bytes its process has grown.

``python -m tests.ai_model.engine.soak MODEL``. A process of its own: in that of the tests the
memory of others would come and go.
"""

from __future__ import annotations

import gc
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil

from ai_model.engine import Engine, EngineRequest
from tests.ai_model.engine.conftest import Collector, make_request, open_engine

NUM_REQUESTS = 10_000
NUM_FIRST = 100
NUM_CLIENTS = 4


def growth(model: Path) -> int:
    """Bytes by which the process has grown between the first hundred requests and the last."""
    with open_engine(model, num_instances=NUM_CLIENTS, parked_bytes=1_000_000) as engine:
        request = make_request(engine, "x", "hello there", max_tokens=5)
        _ask_many(engine, request, NUM_FIRST)
        before = _memory()
        _ask_many(engine, request, NUM_REQUESTS)
        return _memory() - before


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


if __name__ == "__main__":
    print(growth(Path(sys.argv[1])))
