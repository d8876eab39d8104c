"""Web processes that share a Redis hold a key to its limits together; the dead hold nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import override_settings

from apps.ai_pool.limits.refusals import KEY_RUNNING
from apps.api.models import ApiKey
from apps.api.places import NoPlace, Places
from apps.api.spending import Spending, TooManyRunning
from backend.cache import cache
from tests.live import ROOT
from tests.redis_server import RedisServer, redis_server

NUM_PLACES = 10
LASTS_S = 1.0
HOLDER = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.core.cache import caches
from apps.ai_pool.limits.refusals import KEY_RUNNING
from apps.api.places import NoPlace, Places
places = Places(KEY_RUNNING, int(sys.argv[1]), float(sys.argv[2]))
begin = threading.Barrier(16)

def ask(number):
    cache = caches["default"]
    begin.wait(20)
    try:
        places.take_from(cache, "1")
    except NoPlace:
        return 0
    return 1

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(16) as threads:
    print(sum(threads.map(ask, range(16))), flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def shared(redis: RedisServer, default_settings: object) -> Iterator[str]:
    with override_settings(CACHES={"default": cache(redis.url)}):
        caches["default"].clear()
        yield redis.url


def test_four_processes_never_hold_more_than_there_is(shared: str, tmp_path: Path) -> None:
    """64 at once want 10 places; then all are killed, and the places are free after a while."""
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "backend.settings",
        "CORRAL_ENV_FILE": "",
        "CORRAL_VAR_DIR": str(tmp_path),
        "CORRAL_CACHE_URL": shared,
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(NUM_PLACES), "60"],
            cwd=ROOT,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        granted = [int(process.stdout.readline()) for process in processes if process.stdout]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert sum(granted) == NUM_PLACES, granted
    with pytest.raises(NoPlace):
        Places(KEY_RUNNING, NUM_PLACES, 60).take_from(caches["default"], "1")


def test_a_place_of_the_dead_ends(shared: str) -> None:
    Places(KEY_RUNNING, 1, LASTS_S).take_from(caches["default"], "1")
    places = Places(KEY_RUNNING, 1, 60)
    deadline = time.monotonic() + LASTS_S + 5
    while True:
        try:
            places.take_from(caches["default"], "1")
            break
        except NoPlace:
            assert time.monotonic() < deadline
            time.sleep(0.02)


async def test_a_share_through_a_real_redis(shared: str) -> None:
    key = ApiKey(pk=1, name="tests", requests_per_minute=10, tokens_per_hour=1000, max_running=1)
    first = await Spending.begin_aside(key, 900)
    with pytest.raises(TooManyRunning):
        await Spending.begin_aside(key, 1)
    assert first.headers()["x-ratelimit-remaining-tokens"] == "100"
    await first.settle_aside(50)
    second = await Spending.begin_aside(key, 900)
    assert second.headers()["x-ratelimit-remaining-tokens"] == "50"
    await second.settle_aside(900)
