"""Prometheus at a real server: during answers, and over the death of the pool process."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.apps.ai_pool.metrics_reading import samples_of
from tests.e2e.browserlike import Browserlike
from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(120)]
GAPS = "corral_inter_token_latency_seconds"


def scrape(server: LiveServer) -> dict[str, float]:
    status, text = server.get("/metrics", timeout_s=5)
    assert status == 200
    return samples_of(text)


def scraped_until(
    server: LiveServer, condition: Callable[[dict[str, float]], bool], timeout_s: float = 30
) -> dict[str, float]:
    """Scrape until the samples fulfil ``condition``; returns them."""
    deadline = time.monotonic() + timeout_s
    while not condition(samples := scrape(server)):
        assert time.monotonic() < deadline, "the metrics never said so"
        time.sleep(0.05)
    return samples


def test_an_answer_and_a_new_pool(paced_server: LiveServer) -> None:
    server = paced_server
    before = scrape(server)
    assert (before["corral_pool_up"], before["corral_websocket_connections"]) == (1, 0)
    with Browserlike(server) as tab:
        tab.hello()
        gen = tab.ask("Tell me about the pool.")
        tab.until_shown(gen, 10)
        during = scrape(server)
        assert during["corral_websocket_connections"] == 1
        assert during["corral_requests_running"] == 1
        assert during['corral_instances{state="decode"}'] == 1
        tab.until_end()
    after = scraped_until(server, lambda one: one["corral_websocket_connections"] == 0)
    ended = [name for name in after if name.startswith("corral_requests_total")]
    assert sum(after[name] for name in ended) == 1
    written = after["corral_generation_tokens_total"]
    # Between n tokens there are n - 1 gaps, and at 15 tokens a second each is 67 ms.
    assert after[f"{GAPS}_count"] == pytest.approx(written - 1, abs=1)
    assert after[f"{GAPS}_sum"] / after[f"{GAPS}_count"] == pytest.approx(1 / 15, rel=0.4)
    for name in ("time_to_first_token", "request_queue_time", "request_decode_time"):
        assert after[f"corral_{name}_seconds_count"] == 1, name

    pid = server.pool_pid()
    os.kill(pid, signal.SIGKILL)
    server.pool_pid(unlike=pid)
    anew = scraped_until(server, lambda one: one["corral_pool_restarts_total"] == 1)
    server.wait_until_answering()
    gone_back = {
        name
        for name, value in after.items()
        if name.partition("{")[0].endswith(("_total", "_bucket", "_count", "_sum"))
        and anew[name] < value
    }
    assert gone_back == set()
    assert anew["corral_generation_tokens_total"] == written


def test_who_writes_a_forwarded_address(paced_server: LiveServer) -> None:
    """Daphne believes it only with a proxy in front; the metrics do not even then."""
    request = urllib.request.Request(
        paced_server.url + "/metrics", headers={"X-Forwarded-For": "127.0.0.1"}
    )
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=10)
    with refusal.value as answer:
        assert answer.code == 404
