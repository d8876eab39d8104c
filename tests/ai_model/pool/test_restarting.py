"""A restart that the operator wants: what runs finishes first, and the next process knows all."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from ai_model.engine.request import SamplingParams
from ai_model.pool import supervisor as supervisor_module
from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.control_result import Intake
from ai_model.pool.errors import PoolError, PoolLost, PoolUnavailable
from ai_model.pool.launch import Launch
from ai_model.pool.orders import Orders
from ai_model.pool.pool import Pool
from ai_model.pool.pool_process import PoolProcess
from ai_model.pool.status import PoolState, PoolStatus
from ai_model.pool.supervisor import Supervisor, SupervisorState
from ai_model.pool.temporary_limit import LimitName
from ai_model.store import DEMO_PATH
from tests.ai_model.pool.builders import (
    Clock,
    make_config,
    make_request,
    running_pool,
    until,
    until_sync,
)
from tests.ai_model.pool.fake_engine import factory

Answer = TypeVar("Answer")


async def make_pool(clock: Clock, ends: list[str], orders: list[Orders]) -> Pool:
    """Return a started pool with one instance that can be restarted."""
    pool = Pool(
        make_config(max_instances=1),
        engine_factory=factory(),
        clock=clock,
        on_orders=orders.append,
        on_restart=lambda: ends.append("restart"),
    )
    await pool.start()
    await until(lambda: pool.is_ready)
    return pool


async def test_what_runs_finishes_first_and_nothing_begins() -> None:
    clock, ends = Clock(), list[str]()
    pool = await make_pool(clock, ends, [])
    running, waiting = make_request(), make_request()
    pool.submit(running)
    pool.submit(waiting)
    result = pool.controls.restart(30)
    assert "when what runs has finished (1 request), in 30 s" in result.text
    assert ends == []
    assert pool.status().state is PoolState.READY and "new pool process" in pool.status().reason
    pool.submit(make_request())
    pool.stop(running.generation)
    await until(lambda: ends)
    assert ends == ["restart"] and pool.num_running == 0
    assert pool.status().num_waiting == 2, "who waits keeps the place for the next process"
    pool.controls.look()
    assert ends == ["restart"], "once is enough"
    await pool.close()


async def test_patience_ends() -> None:
    clock, ends = Clock(), list[str]()
    pool = await make_pool(clock, ends, [])
    pool.submit(make_request())
    await until(lambda: pool.num_running == 1)
    pool.controls.restart(30)
    clock.advance(29)
    pool.controls.look()
    assert ends == []
    clock.advance(1)
    pool.controls.look()
    assert ends == ["restart"]
    await pool.close()


async def test_an_empty_pool_restarts_at_once_and_impatience_can_be_added() -> None:
    clock, ends = Clock(), list[str]()
    pool = await make_pool(clock, ends, [])
    pool.submit(make_request())
    await until(lambda: pool.num_running == 1)
    pool.controls.restart(600)
    assert ends == []
    assert pool.controls.restart(0).text.startswith("A new pool process starts now")
    assert ends == ["restart"]
    await pool.close()
    for wrong in (-1, 601, float("nan")):
        with pytest.raises(ValueError, match="waits 0 to 600"):
            pool.controls.restart(wrong)


async def test_a_pool_inside_another_program_cannot() -> None:
    async with running_pool() as (pool, _):
        result = pool.controls.restart(0)
        assert not result.is_done and "another program" in result.text
        pool.submit(make_request())
        await until(lambda: pool.num_running == 1)


async def test_every_order_is_told_for_the_next_process() -> None:
    told: list[Orders] = []
    pool = await make_pool(Clock(), [], told)
    pool.controls.pause("Back at noon.")
    pool.controls.resize(3)
    pool.controls.limit(LimitName.QUEUE_SIZE, 1, 60)
    orders = told[-1]
    assert (orders.intake, orders.message, orders.max_instances) == (
        Intake.PAUSED,
        "Back at noon.",
        3,
    )
    assert [one.value for one in orders.limits] == [1]
    pool.controls.resume()
    assert told[-1].intake is Intake.OPEN and told[-1].message == ""
    pool.controls.drain()
    assert told[-1].intake is Intake.DRAINING
    await pool.close()


# With real processes


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short name."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        yield Path(name)


def ask(path: Path, call: Callable[[PoolClient], Awaitable[Answer]]) -> Answer:
    """Return what one call to the pool behind a socket gives."""

    async def run() -> Answer:
        client = PoolClient(path)
        try:
            return await call(client)
        finally:
            await client.close()

    return asyncio.run(run())


def status_when(
    supervisor: Supervisor, condition: Callable[[PoolStatus], bool], timeout_s: float = 30.0
) -> PoolStatus:
    """Return the pool's status as soon as the condition holds of it."""
    found: list[PoolStatus] = []

    def look() -> bool:
        try:
            status = ask(supervisor.socket_path, lambda client: client.status())
        except PoolError:
            return False
        if condition(status):
            found.append(status)
        return bool(found)

    until_sync(look, timeout_s)
    return found[0]


def test_a_real_pool_goes_on_as_it_was_told_after_a_restart_and_after_a_death(
    directory: Path,
) -> None:
    """With the demo model, held back: an answer that runs finishes before the restart."""
    config = PoolConfig(
        model_path=DEMO_PATH,
        model_is_demo=True,
        max_instances=1,
        n_ctx=256,
        max_tokens=96,
        max_tok_s=20,
    )
    supervisor = Supervisor(config, directory / "pool.sock", directory / "pool.lock")
    supervisor.start()
    try:
        first = status_when(supervisor, lambda status: status.state is PoolState.READY)
        end = ask(supervisor.socket_path, _answer_across_a_restart)
        assert end["type"] == "gen.done" and end["reason"] in ("stop", "length")
        second = status_when(
            supervisor, lambda now: now.life != first.life and now.state is PoolState.PAUSED
        )
        assert second.pid != first.pid and second.notice == "Back at noon."
        assert second.max_instances == 2 and second.num_restarts == 0
        assert [(one.name, one.value) for one in second.limits] == [(LimitName.QUEUE_SIZE, 1)]
        assert 0 < second.limits[0].left_s < 3600
        os.kill(second.pid, signal.SIGKILL)
        third = status_when(
            supervisor, lambda now: now.life != second.life and now.state is PoolState.PAUSED
        )
        assert third.num_restarts == 1 and third.max_instances == 2
        assert third.limits[0].left_s < second.limits[0].left_s
        assert ask(supervisor.socket_path, lambda client: client.resume()).intake is Intake.OPEN
        assert ask(supervisor.socket_path, lambda client: client.unlimit(LimitName.QUEUE_SIZE))
        os.kill(third.pid, signal.SIGKILL)
        fourth = status_when(
            supervisor, lambda now: now.life != third.life and now.state is PoolState.READY
        )
        assert fourth.limits == ()
        # Two deaths without an answer: a size the operator chose may be the reason.
        assert fourth.max_instances == 1 and not supervisor.orders.changes_load
    finally:
        supervisor.stop()
    assert supervisor.state is SupervisorState.STOPPED


async def _answer_across_a_restart(client: PoolClient) -> dict[str, object]:
    """Begin an answer, order things and a restart, and return how the answer ends."""
    request = make_request(sampling=SamplingParams(max_tokens=96, temperature=0.0))
    await client.submit(request)
    await client.pause("Back at noon.")
    await client.resize(2)
    await client.limit(LimitName.QUEUE_SIZE, 1, 3600)
    result = await client.restart(30)
    assert result.is_done
    last: dict[str, object] = {}
    try:
        async for frame in client.subscribe(request.generation):
            last = frame
    except (PoolLost, PoolUnavailable):
        pytest.fail("the process ended before what ran had finished")
    return last


def test_a_model_whose_file_is_gone_is_not_tried(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launches: list[Launch] = []

    def refuse(launch: Launch) -> PoolProcess:
        launches.append(launch)
        raise OSError(12, "no")

    monkeypatch.setattr(supervisor_module, "PoolProcess", refuse)
    supervisor = Supervisor(make_config(), directory / "pool.sock", directory / "pool.lock")
    supervisor.orders = Orders(model_path=directory / "gone.gguf", message="Kept.")
    supervisor.start()
    until_sync(lambda: launches)
    supervisor.stop()
    assert launches[0].orders == Orders(message="Kept.")
    assert Launch.from_line(launches[0].to_line()) == launches[0]
