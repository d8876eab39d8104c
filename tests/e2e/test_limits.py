"""Limits of two real servers that count in one real Redis, and what they do without it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from apps.ai_pool.limits.store import REST_S
from tests.e2e.browserlike import Browserlike
from tests.live import LiveServer, live_server_process
from tests.redis_server import RedisServer, redis_server

pytestmark = [pytest.mark.e2e, pytest.mark.stores, pytest.mark.timeout(240)]
NUM_CLIENTS = 64
PER_VISITOR, SHARE, PER_ADDRESS = 2, 10, 3


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(scope="module")
def servers(redis: RedisServer) -> Iterator[tuple[LiveServer, LiveServer]]:
    limits = {
        "CORRAL_CACHE_URL": redis.url,
        "CORRAL_ANONYMOUS_MESSAGES_PER_HOUR": str(PER_VISITOR),
        "CORRAL_ADDRESS_SHARE": str(SHARE),
        "CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS": str(PER_ADDRESS),
        "CORRAL_MODEL_PATH": "/nowhere/model.gguf",
        "NUM_PROXIES": "1",
        # They are one site: a digest of an address is the same in both.
        "SECRET_KEY": "one key for both servers, " * 3,
    }
    with (
        live_server_process(is_behind_proxy=True, start_timeout_s=90, **limits) as one,
        live_server_process(is_behind_proxy=True, start_timeout_s=90, **limits) as other,
    ):
        yield one, other


def program(server: LiveServer, address: str) -> Browserlike:
    """Somebody nobody knows, whose proxy says that they come from ``address``."""
    headers = {"X-Forwarded-For": f"198.51.100.7, {address}"}
    return Browserlike(server, cookie="", origin=None, headers=headers)


def answer_to_a_question(client: Browserlike) -> dict[str, Any]:
    client.ask("Hello?")
    return client.until("message.ack", "error")


def refusals(server: LiveServer) -> Counter[str]:
    lines = server.get("/metrics")[1].decode().splitlines()
    name = 'corral_limit_refusals_total{limit="'
    found = (line.removeprefix(name).split('"} ') for line in lines if line.startswith(name))
    return Counter({limit: int(float(number)) for limit, number in found})


def test_sixty_four_strangers_of_one_block_get_its_share_and_no_more(
    servers: tuple[LiveServer, LiveServer],
) -> None:
    before = [refusals(server) for server in servers]
    together = Barrier(NUM_CLIENTS)

    def ask(number: int) -> dict[str, Any]:
        with program(servers[number % 2], f"93.184.216.{number}") as client:
            client.hello()
            together.wait(timeout=60)
            return answer_to_a_question(client)

    with ThreadPoolExecutor(NUM_CLIENTS) as pool:
        answers = list(pool.map(ask, range(NUM_CLIENTS)))
    kinds = Counter(answer.get("code", answer["type"]) for answer in answers)
    assert kinds == {"message.ack": PER_VISITOR * SHARE, "rate_limited": 44}
    waits = [answer["retry_after_s"] for answer in answers if answer["type"] == "error"]
    assert all(1 <= wait <= 3600 for wait in waits)
    after = [refusals(server) for server in servers]
    assert (
        sum((new - old)["address_messages"] for old, new in zip(before, after, strict=True)) == 44
    )


def test_a_place_too_many_is_told_and_closed_with_its_code(
    servers: tuple[LiveServer, LiveServer],
) -> None:
    clients = [program(servers[0], "93.184.217.9") for _ in range(PER_ADDRESS + 1)]
    for client in clients[:-1]:
        client.__enter__()
        client.hello()
    with clients[-1] as late:
        error = json.loads(late.line.recv(timeout=10))
        assert (error["code"], error["type"]) == ("rate_limited", "error")
        assert error["retry_after_s"] >= 1
        with pytest.raises(ConnectionClosed) as closed:
            late.line.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4429
    for client in clients[:-1]:
        client.__exit__()
    wait_until_welcome(servers[0], "93.184.217.9")


def wait_until_welcome(server: LiveServer, address: str) -> None:
    """Places are free once the server has seen that their sockets have gone."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with program(server, address) as client:
            client.send({"type": "hello", "v": 1})
            if client.until("welcome", "error")["type"] == "welcome":
                return
        time.sleep(0.05)
    raise AssertionError("no place came free")


def test_without_redis_strangers_read_and_wait(
    servers: tuple[LiveServer, LiveServer], redis: RedisServer
) -> None:
    server = servers[0]
    with program(server, "93.184.218.9") as client:
        client.hello()
        redis.stop()
        error = answer_to_a_question(client)
        assert error["code"] == "store_away" and 1 <= error["retry_after_s"] <= REST_S
        assert server.get("/")[0] == server.get("/health/ready")[0] == 200
        checked = server.manage("check")
        assert "corral.W062" in checked.stderr and checked.returncode == 0
        redis.start()
        deadline = time.monotonic() + REST_S + 10
        while (answer := answer_to_a_question(client)).get("code") == "store_away":
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)
        assert answer["type"] == "message.ack"
    assert refusals(server)["store_away"] >= 1
