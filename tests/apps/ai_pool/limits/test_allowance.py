"""What anybody may use is never exceeded, however many ask at once, in threads and processes."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.core.cache import caches
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.ai_pool.limits.allowance import Allowance, OverLimit, Taken, give_back_to
from apps.ai_pool.limits.refusals import REFUSALS, TOKENS
from tests.project_files import ROOT
from tests.redis_server import RedisServer

NOW = 1_000_040.0
"""Twenty seconds into a minute, when minutes begin at multiples of 60."""
pytestmark = pytest.mark.usefixtures("counted")


def allowance(limit: int, now: list[float] | None = None) -> Allowance:
    times = now or [NOW]
    return Allowance(TOKENS, limit, 60, clock=lambda: times[0])


def test_so_many_and_no_more() -> None:
    few = allowance(3)
    assert [few.take("a").remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(OverLimit) as caught:
        few.take("a")
    assert caught.value.retry_after_s == 60 - NOW % 60
    assert few.take("b").remaining == 2, "everybody has an allowance of their own"


async def test_the_twins_of_the_event_loop() -> None:
    few = allowance(3)
    taken = await few.atake("a", 3)
    with pytest.raises(OverLimit):
        await few.atake("a")
    await few.agive_back(taken, 2)
    assert (await few.atake("a")).remaining == 1
    assert (await allowance(0).atake("a", 10**9)).limit == 0


def test_a_refusal_takes_nothing_and_is_counted() -> None:
    few, before = allowance(10), REFUSALS.counts()[TOKENS]
    few.take("a", 8)
    with pytest.raises(OverLimit) as caught:
        few.take("a", 5)
    assert caught.value.name == TOKENS and REFUSALS.counts()[TOKENS] == before + 1
    assert few.take("a", 2).remaining == 0


def test_more_than_there_ever_is() -> None:
    few = allowance(10)
    with pytest.raises(OverLimit):
        few.take("a", 11)
    assert few.take("a", 10).remaining == 0


def test_minutes_and_hours_are_counted_apart() -> None:
    Allowance(TOKENS, 1, 60, clock=lambda: NOW).take("a")
    assert Allowance(TOKENS, 1, 3600, clock=lambda: NOW).take("a").remaining == 0


def test_the_next_window_is_new() -> None:
    now = [NOW]
    few = allowance(1, now)
    few.take("a")
    now[0] += 60
    assert few.take("a").remaining == 0


def test_what_was_not_needed_comes_back() -> None:
    now = [NOW]
    few = allowance(10, now)
    taken = few.take("a", 10)
    few.give_back(taken, 7)
    assert few.take("a", 7).remaining == 0
    # What belongs to a window that is over must not make the new one larger.
    now[0] += 60
    few.give_back(taken, 10)
    with pytest.raises(OverLimit):
        few.take("a", 11)


def test_what_was_forgotten_meanwhile_gives_nobody_more() -> None:
    """A cache may lose what it holds: then all of it begins anew, and nothing is owed."""
    few = allowance(10)
    taken = few.take("a", 10)
    caches["default"].clear()
    few.give_back(taken, 10)
    few.take("a", 1)
    few.give_back(taken, 10)
    assert few.take("a", 10).remaining == 0
    with pytest.raises(OverLimit):
        few.take("a")
    give_back_to(caches["default"], "nowhere", 5)
    assert caches["default"].get("nowhere") is None


def test_none_is_no_limit() -> None:
    free = allowance(0)
    taken = free.take("a", 10**9)
    free.give_back(taken, 5)
    assert taken.limit == 0


@given(
    limit=st.integers(1, 30),
    steps=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), max_size=12),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_out_never_exceeds_the_limit(limit: int, steps: list[tuple[int, int]]) -> None:
    """Reservations are granted exactly while they fit; what is given back fits again."""
    caches["default"].clear()
    few, out = allowance(limit), 0
    held: list[tuple[Taken, int]] = []
    for amount, unused in steps:
        if out + amount <= limit:
            held.append((few.take("a", amount), amount))
            out += amount
            assert held[-1][0].remaining == limit - out
        else:
            with pytest.raises(OverLimit) as caught:
                few.take("a", amount)
            assert caught.value.taken.remaining == limit - out
        if held and unused:
            taken, amount = held.pop()
            few.give_back(taken, min(unused, amount))
            out -= min(unused, amount)
        assert 0 <= out <= limit


def test_sixty_four_at_once_get_no_more_than_there_is() -> None:
    few, together = allowance(20), Barrier(64)

    def ask(number: int) -> bool:
        together.wait(timeout=20)
        try:
            few.take("a")
        except OverLimit:
            return False
        return True

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(ask, range(64))) == 20


def test_what_goes_back_and_forth_in_threads_never_exceeds_the_limit() -> None:
    """Eight threads take and give back; a ledger says how much is out at each moment."""
    few, together = allowance(10), Barrier(8)

    def work(number: int) -> int:
        together.wait(timeout=20)
        num_granted = 0
        for _ in range(25):
            try:
                taken = few.take("a", 3)
            except OverLimit:
                continue
            num_granted += 1
            assert 0 <= taken.remaining <= 7
            few.give_back(taken, 3)
        return num_granted

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) > 0
    assert few.take("a", 10).remaining == 0, "all of it came back, and no more"


PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from apps.ai_pool.limits.allowance import Allowance, OverLimit
few = Allowance("tokens", 100, 86_400, clock=lambda: 1e6)
print("ready", flush=True)
sys.stdin.readline()
def ask(number):
    try:
        few.take("everybody")
    except OverLimit:
        return 0
    return 1
with ThreadPoolExecutor(16) as pool:
    print(sum(pool.map(ask, range(64))), flush=True)
"""


def test_processes_count_together(counted: str, redis: RedisServer, tmp_path: Path) -> None:
    """Three processes of 16 threads want 192 of 100."""
    if not counted:
        pytest.skip("each process counts for itself without a Redis")
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "backend.settings",
        "CORRAL_ENV_FILE": "",
        "CORRAL_VAR_DIR": str(tmp_path),
        "CORRAL_CACHE_URL": redis.url,
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            cwd=ROOT,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        granted = [process.communicate(timeout=30)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert sum(map(int, granted)) == 100, granted
