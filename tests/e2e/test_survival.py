"""Answers outlive the pool process: killed, frozen or told to end, nobody loses what was shown."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from ai_model.hardware import num_usable_cpus
from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.launch import Launch
from ai_model.pool.pool_process import PoolProcess
from ai_model.pool.supervisor import SupervisorState
from tests.e2e.survival import Kills, Reader, kill_during_answers, supervised_pool, wait_until_ready
from tests.live import DEMO_MODEL, ROOT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not DEMO_MODEL.is_file(), reason="the demo model is not there; `make demo-model` trains it"
    ),
]
BIG_MODEL = os.environ.get("CORRAL_SURVIVAL_MODEL", "")
MAX_PAUSE_S = 5.0
"""What a visitor may notice at most, on a machine that has nothing else to do."""
MAX_PAUSE_BUSY_S = 30.0
"""The same where other tests run at the same time: then the number says little."""
MIN_SHARE_SAME = 0.95


def demo_config(**values: object) -> PoolConfig:
    """Return limits for the demo model: 33 ms for a token, so that much can happen in between."""
    usual = {
        "model_path": DEMO_MODEL,
        "max_instances": 2,
        "n_ctx": 512,
        "max_tokens": 128,
        "max_tok_s": 30.0,
    }
    return PoolConfig(**usual | values)  # type: ignore[arg-type]


def check_kills(kills: Kills, num_kills: int, max_pause_s: float) -> None:
    """What was promised."""
    print(f"\n{kills}")
    assert kills.num_kills == num_kills
    assert len(kills.pauses_s) >= num_kills
    assert kills.num_same >= MIN_SHARE_SAME * len(kills.pauses_s), str(kills)
    assert max(kills.pauses_s) <= max_pause_s, str(kills)


@pytest.mark.parametrize(
    ("num_kills", "seed", "max_pause_s"),
    [
        (3, 1, MAX_PAUSE_BUSY_S),
        pytest.param(50, 2, MAX_PAUSE_S, marks=[pytest.mark.slow, pytest.mark.timeout(1200)]),
    ],
)
async def test_killed_in_the_middle_of_answers(
    num_kills: int, seed: int, max_pause_s: float
) -> None:
    """kill -9 at random moments: every answer is completed where it stood, after a short pause."""
    async with supervised_pool(demo_config()) as (supervisor, client):
        kills = await kill_during_answers(
            supervisor, client, num_kills=num_kills, seed=seed, num_tokens=48
        )
        assert supervisor.state is SupervisorState.RUNNING
    check_kills(kills, num_kills, max_pause_s)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not BIG_MODEL, reason="CORRAL_SURVIVAL_MODEL names no model file")
async def test_killed_in_the_middle_of_a_big_models_answers() -> None:
    """The same with a model of usual size, at its own speed."""
    config = PoolConfig(
        model_path=Path(BIG_MODEL), max_instances=2, n_ctx=1024, num_threads=num_usable_cpus()
    )
    async with supervised_pool(config) as (supervisor, client):
        kills = await kill_during_answers(supervisor, client, num_kills=10, seed=3, num_tokens=48)
    check_kills(kills, 10, MAX_PAUSE_S)


async def test_frozen_for_longer_than_the_stall_limit() -> None:
    """SIGSTOP: a process that shows no sign of life is replaced, and its answers go on."""
    config = demo_config(stall_timeout_s=2.0)
    async with supervised_pool(config) as (supervisor, client):
        undisturbed = Reader(client, "Tell me about the pool.", 48)
        await undisturbed.read()
        reader = Reader(client, undisturbed.question, 48)
        task = asyncio.create_task(reader.read())
        while not reader.text:
            await asyncio.sleep(0.01)
        frozen = supervisor.pid
        assert frozen is not None
        num_shown = reader.num_tokens
        os.kill(frozen, signal.SIGSTOP)
        try:
            async with asyncio.timeout(30):
                while psutil.pid_exists(frozen):
                    await asyncio.sleep(0.05)
                await task
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(frozen, signal.SIGCONT)
        await reader.check()
        assert 0 < num_shown < reader.num_tokens
        assert reader.text == undisturbed.text
        assert supervisor.num_restarts == 1 and supervisor.pid not in (None, frozen)


async def test_a_short_freeze_is_forgiven() -> None:
    """Half the stall limit: the same process goes on."""
    async with supervised_pool(demo_config(stall_timeout_s=4.0)) as (supervisor, client):
        reader = Reader(client, "Tell me about the pool.", 48)
        task = asyncio.create_task(reader.read())
        while not reader.text:
            await asyncio.sleep(0.01)
        pid = supervisor.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(1.0)
        os.kill(pid, signal.SIGCONT)
        await task
        await reader.check()
        assert (supervisor.pid, supervisor.num_restarts) == (pid, 0)


# Shutting down.


class Alone:
    """A pool process without a supervisor."""

    def __init__(self, directory: Path, config: PoolConfig) -> None:
        self.socket_path = directory / "pool.sock"
        self.process = PoolProcess(Launch(config, self.socket_path))
        self.client = PoolClient(self.socket_path)

    async def end(self, timeout_s: float) -> tuple[int, float]:
        """Wait for its end; returns the exit code and the seconds that took."""
        began = time.monotonic()
        code = await asyncio.to_thread(self.process.reap, timeout_s)
        return code, time.monotonic() - began


@contextlib.asynccontextmanager
async def pool_alone(config: PoolConfig) -> AsyncIterator[Alone]:
    """A pool process that is ready; whatever happens, nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        alone = Alone(Path(name), config)
        try:
            await wait_until_ready(alone.client)
            yield alone
            assert not psutil.pid_exists(alone.process.pid)
            assert not alone.socket_path.exists()
        finally:
            await alone.client.close()
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(alone.process.pid).kill()
            alone.process.reap(5.0)


async def test_told_to_end_while_idle() -> None:
    """Ends at once, in order. Meant are less than 1 s; the bound is for a busy machine."""
    async with pool_alone(demo_config()) as alone:
        os.kill(alone.process.pid, signal.SIGTERM)
        code, seconds = await alone.end(20)
        print(f"\nidle shutdown: {seconds:.2f} s")
        assert code == 0 and seconds < 4


async def test_told_to_end_while_busy() -> None:
    """An answer that can be finished is; one that cannot ends with what it has."""
    async with pool_alone(demo_config(max_tok_s=4.0)) as alone:
        readers = [Reader(alone.client, "Tell me about the pool.", count) for count in (8, 128)]
        frames: list[dict[str, object]] = []

        async def read_long() -> None:
            async for frame in alone.client.subscribe(readers[1].generation):
                frames.append(frame)

        tasks = [asyncio.create_task(reader.read()) for reader in readers]
        while not all(reader.text for reader in readers):
            await asyncio.sleep(0.01)
        follower = asyncio.create_task(read_long())
        os.kill(alone.process.pid, signal.SIGTERM)
        code, seconds = await alone.end(30)
        print(f"\nbusy shutdown: {seconds:.2f} s")
        assert code == 0
        await tasks[0]
        assert readers[0].end["type"] == "gen.done"
        await follower
        assert frames[-1]["type"] == "gen.done" and frames[-1]["reason"] == "shutdown"
        assert frames[-1]["chars"], "what was written is kept"
        # Its reader waits for the next pool, which goes on with it.
        await readers[1].exchange.stop()
        await tasks[1]
        assert readers[1].text


async def test_told_twice_to_end() -> None:
    """The second time means now."""
    async with pool_alone(demo_config(max_tok_s=2.0)) as alone:
        reader = Reader(alone.client, "Tell me about the pool.", 128)
        task = asyncio.create_task(reader.read())
        while not reader.text:
            await asyncio.sleep(0.01)
        os.kill(alone.process.pid, signal.SIGTERM)
        await asyncio.sleep(0.3)
        os.kill(alone.process.pid, signal.SIGTERM)
        _, seconds = await alone.end(20)
        print(f"\nsecond SIGTERM: {seconds:.2f} s")
        assert seconds < 2
        await reader.exchange.stop()
        await task


PARENT = """
import sys, time
from pathlib import Path
from ai_model.pool.config import PoolConfig
from ai_model.pool.supervisor import Supervisor

directory, model = map(Path, sys.argv[1:])
config = PoolConfig(model_path=model, n_ctx=512, max_tok_s=2.0, max_tokens=128)
supervisor = Supervisor(config, directory / "pool.sock", directory / "pool.lock")
supervisor.start()
while supervisor.state != "running":
    time.sleep(0.01)
print(supervisor.pid, flush=True)
time.sleep(300)
"""


@contextlib.contextmanager
def supervising_parent(directory: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """Another process with a supervisor, and the pool process under it."""
    command = [sys.executable, "-c", PARENT, str(directory), str(DEMO_MODEL)]
    parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    try:
        with parent.stdout:
            child = psutil.Process(int(parent.stdout.readline()))
        yield parent, child
    finally:
        parent.kill()
        parent.wait(10)


async def test_the_parent_is_killed_in_the_middle_of_an_answer() -> None:
    """kill -9 of the web server: its pool process does not stay behind, however busy it is."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        socket_path = Path(name) / "pool.sock"
        with supervising_parent(Path(name)) as (parent, child):
            client = PoolClient(socket_path)
            await wait_until_ready(client)
            reader = Reader(client, "Tell me about the pool.", 128)
            task = asyncio.create_task(reader.read())
            while not reader.text:
                await asyncio.sleep(0.01)
            parent.kill()
            await asyncio.to_thread(child.wait, 10)
            assert not socket_path.exists()
            await reader.exchange.stop()
            await task
            assert reader.text and reader.end["reason"] == "user_stop"
            await client.close()


# Fairness, on the real engine.


async def test_a_visitor_with_fifty_requests_delays_another_by_one_answer() -> None:
    """Who asks now and then does not wait behind all that one other visitor has asked.

    Counted and not timed: of the other visitor's answers only the running one may end in between.
    """
    config = demo_config(
        max_instances=1, queue_size=64, max_inflight_per_visitor=64, max_tok_s=60.0
    )
    question = "Hello, who are you?"  # the same for both: turns are counted in tokens
    journal: list[tuple[str, str]] = []
    num_before: list[int] = []
    async with supervised_pool(config) as (_, client):
        many = [Reader(client, question, 8, visitor="many", journal=journal) for _ in range(50)]
        tasks = [asyncio.create_task(reader.read()) for reader in many]
        while not any(reader.end.get("type") == "gen.done" for reader in many):
            await asyncio.sleep(0.01)
        for _ in range(8):
            seldom = Reader(client, question, 8, visitor="seldom", journal=journal)
            begins_at = len(journal)
            await seldom.read()
            await seldom.check()
            told = journal[begins_at:]
            frames = [kind for visitor, kind in told if visitor == "seldom"]
            wait = told[told.index(("seldom", frames[0])) : told.index(("seldom", "gen.started"))]
            num_before.append(wait.count(("many", "gen.done")))
            await asyncio.sleep(0.1)
        num_left = sum(not task.done() for task in tasks)
        await asyncio.gather(*tasks)
        for reader in many:
            await reader.check()
    print(f"\nanswers to wait for: {num_before}; left of the fifty: {num_left}")
    assert num_left > 10, "the other visitor was to be there all the time"
    assert sorted(num_before)[-2] <= 1 and max(num_before) <= 2
