"""The same pool on a thread, for tests and scripts."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ai_model.pool.client import PoolClient
from ai_model.pool.errors import PoolStartError
from ai_model.pool.thread import PoolThread
from tests.ai_model.pool.builders import make_config, make_request, text_of
from tests.ai_model.pool.fake_engine import factory


async def ask(thread: PoolThread) -> str:
    """Ask one question over a connection of its own."""
    client = PoolClient(thread.socket_path)
    try:
        request = make_request()
        await client.submit(request)
        return text_of([frame async for frame in client.subscribe(request.generation)])
    finally:
        await client.close()


def test_an_answer_and_no_trace() -> None:
    """Thread, socket and directory are gone afterwards."""
    before = set(threading.enumerate())
    with PoolThread(make_config(), engine_factory=factory(pace_s=0.001)) as thread:
        assert asyncio.run(ask(thread)) == "The pool answers you."
        directory = thread.socket_path.parent
        assert directory.stat().st_mode & 0o777 == 0o700
    assert not directory.exists()
    thread.close()
    assert set(threading.enumerate()) <= before


def test_thirty_two_threads() -> None:
    """Each with an event loop and a connection of its own."""
    config = make_config(max_instances=4, queue_size=32)
    with (
        PoolThread(config, engine_factory=factory(pace_s=0.001)) as thread,
        ThreadPoolExecutor(32) as threads,
    ):
        answers = list(threads.map(lambda _: asyncio.run(ask(thread)), range(32)))
    assert answers == ["The pool answers you."] * 32


def test_a_place_where_no_socket_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a sentence."""
    thread = PoolThread(make_config(), engine_factory=factory())
    monkeypatch.setattr("ai_model.pool.thread.tempfile.mkdtemp", lambda **_: "/proc/nowhere")
    with pytest.raises(PoolStartError, match="cannot be"):
        thread.start()
