"""Many programs at the same moment: each is answered, or told when to come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import psutil
import pytest

from tests.e2e.crowd import Outcome, ask_at_once, quantile
from tests.live import LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.stores, pytest.mark.timeout(300)]
MAX_GROWTH_BYTES = 120 * 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server_process(wait_for_model=True) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: LiveServer) -> str:
    """A key without limits of its own: what refuses is the pool."""
    limits = [
        *("--requests-per-minute", "0", "--tokens-per-hour", "0"),
        *("--max-running", "0"),
    ]
    made = server.manage("apikey", "create", "crowd", *limits)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def check(outcome: Outcome, number: int) -> None:
    print(outcome.summary())
    assert outcome.broken == []
    assert len(outcome.replies) == number
    for reply in outcome.replies:
        assert reply.status in (200, 503), reply.body
        if reply.status == 503:
            error = json.loads(reply.body)["error"]
            assert reply.has_time and error["code"] in ("queue_full", "busy"), error
    assert outcome.seconds(200), "those for whom there is room are answered"


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streaming"])
def test_sixty_at_once(server: LiveServer, key: str, is_streaming: bool) -> None:
    outcome = asyncio.run(ask_at_once(server.url, key, 60, is_streaming=is_streaming))
    check(outcome, 60)
    assert max(outcome.seconds()) < 20
    if is_streaming:
        answered = [reply for reply in outcome.replies if reply.status == 200]
        assert all(b"data: [DONE]\n\n" in reply.body for reply in answered)


def test_a_key_over_its_own_limit_is_told_at_once(server: LiveServer) -> None:
    """429, with the same times, and never more at once than the limit."""
    made = server.manage("apikey", "create", "few", "--max-running", "2")
    outcome = asyncio.run(ask_at_once(server.url, made.stdout.strip(), 30, max_tokens=64))
    assert outcome.broken == []
    refused = [reply for reply in outcome.replies if reply.status == 429]
    assert refused and all(reply.has_time for reply in refused)
    assert {json.loads(reply.body)["error"]["code"] for reply in refused} <= {
        "too_many_running",
        "rate_limit_exceeded",
    }
    assert outcome.seconds(200)


@pytest.mark.slow
def test_five_hundred_at_once(server: LiveServer, key: str) -> None:
    asyncio.run(ask_at_once(server.url, key, 20))
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    for _ in range(2):
        outcome = asyncio.run(ask_at_once(server.url, key, 500))
        check(outcome, 500)
        assert max(outcome.seconds()) < 30
    assert process.memory_info().rss - before < MAX_GROWTH_BYTES
    assert process.num_threads() < 40
    assert quantile(outcome.seconds(503), 0.5) < 30
