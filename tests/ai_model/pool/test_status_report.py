"""The report takes every number from where it is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

import pytest

from ai_model.engine.model_info import ModelInfo
from ai_model.engine.snapshot import EngineSnapshot, EngineState, InstanceSnapshot
from ai_model.pool.admission import Admission
from ai_model.pool.config import PoolConfig
from ai_model.pool.eta import EtaEstimator
from ai_model.pool.restarts import Restarts
from ai_model.pool.statistics import Statistics
from ai_model.pool.status import PoolState
from ai_model.pool.status_report import report_status
from ai_model.pool.wait_record import WaitFigures
from ai_model.sandbox.sandbox import Confinement
from tests.ai_model.pool.builders import make_config


@dataclass
class StillPool:
    """What a report sees of a pool, and nothing behind it."""

    config: PoolConfig = field(default_factory=make_config)
    line: list[str] = field(default_factory=list)
    estimator: EtaEstimator = field(default_factory=EtaEstimator)
    statistics: Statistics = field(default_factory=Statistics)
    started_at: float = 0.0
    is_ready: bool = True
    is_asleep: bool = False
    num_free: int = 2
    num_running: int = 0
    restarts: Restarts = Restarts(2, "it was ended by signal SIGKILL")
    confinement: Confinement = Confinement(closed=("network", "writing"), gaps=("dumps: no",))

    def __post_init__(self) -> None:
        self.admission = Admission(self.config, self.estimator)


MODEL = ModelInfo(
    name="M",
    quant="Q8_0",
    n_ctx_train=2048,
    num_parameters=1,
    size_bytes=1_000_000,
    kv_bytes_per_token=100,
    is_demo=False,
)
INSTANCE = InstanceSnapshot(
    index=0,
    state="decode",
    request_id="g",
    conversation="c",
    num_prompt=10,
    num_prompt_done=10,
    num_generated=5,
    tok_s=7.04,
    num_kv_tokens=15,
    kv_bytes=1500,
    since_s=1.0,
)
SNAPSHOT = EngineSnapshot(
    state=EngineState.READY,
    failure="",
    model=MODEL,
    n_ctx=512,
    instances=(INSTANCE, INSTANCE),
    heartbeat_age_s=0.5,
    decode_tok_s=14.0,
    prefill_tok_s=100.0,
)


def test_a_pool_without_an_engine() -> None:
    status = report_status(StillPool(is_ready=False, num_free=0), None, pid=os.getpid(), now=10.0)
    assert (status.state, status.model, status.uptime_s) == (PoolState.LOADING, None, 10.0)
    assert (status.num_instances, status.hot_instances, status.max_instances) == (2, 2, 2)
    assert (status.memory.weights_bytes, status.memory.kv_reserved_bytes) == (0, 0)


def test_counters() -> None:
    pool = StillPool()
    pool.statistics.num_accepted = 5
    pool.statistics.refuse("queue_full")
    pool.statistics.refuse("queue_full")
    pool.statistics.outcomes["done"] += 3
    pool.statistics.errors["internal"] += 1
    pool.statistics.deadlines["stall"] += 1
    pool.statistics.count_tokens(num_prompt=100, num_cached=80, num_generated=7)
    pool.statistics.count_tokens(num_prompt=100, num_cached=0, num_generated=3)
    status = report_status(pool, SNAPSHOT, pid=os.getpid(), now=10.0)
    assert (status.num_accepted, status.num_refused, status.num_done) == (5, 2, 3)
    assert status.refusals == {"queue_full": 2}
    assert (status.outcomes, status.errors, status.deadlines) == (
        {"done": 3},
        {"internal": 1},
        {"stall": 1},
    )
    assert (status.num_prompt_tokens, status.num_generated_tokens) == (200, 10)
    assert status.reuse_ratio == 0.4


def test_quantiles_are_those_of_the_last_minutes() -> None:
    """Waits and first texts of five minutes, cancels of an hour."""
    pool = StillPool()
    pool.statistics.waits.add(8.0, 100.0)
    pool.statistics.ttfts.add(9.0, 100.0)
    pool.statistics.cancels.add(0.2, 100.0)
    status = report_status(pool, SNAPSHOT, pid=os.getpid(), now=399.0)
    assert (status.wait_p50_s, status.wait_p95_s, status.ttft_p95_s) == (8.0, 8.0, 9.0)
    status = report_status(pool, SNAPSHOT, pid=os.getpid(), now=401.0)
    assert (status.wait_p50_s, status.ttft_p50_s, status.cancel_p95_s) == (None, None, 0.2)


def test_utilisation_is_measured_even_if_nobody_tells_changes() -> None:
    pool = StillPool(num_running=1)
    report_status(pool, SNAPSHOT, pid=os.getpid(), now=0.0)
    status = report_status(pool, SNAPSHOT, pid=os.getpid(), now=100.0, num_instances=4)
    assert (status.utilisation_15min, status.utilisation_24h) == (0.5, 0.5)
    status = report_status(pool, SNAPSHOT, pid=os.getpid(), now=200.0)
    assert (status.running_s, status.instance_s) == (200.0, 600.0)


def test_memory() -> None:
    """The KV states there are, and those there may be; this process is not empty."""
    status = report_status(
        StillPool(),
        replace(SNAPSHOT, parked_bytes=77),
        pid=os.getpid(),
        now=1.0,
        num_instances=3,
    )
    memory = status.memory
    assert (memory.weights_bytes, memory.kv_bytes, memory.parked_bytes) == (1_000_000, 3000, 77)
    assert memory.kv_reserved_bytes == 3 * 512 * 100
    assert 0 < memory.anon_bytes <= memory.rss_bytes
    assert report_status(StillPool(), SNAPSHOT, pid=2**22 + 1, now=1.0).memory.rss_bytes == 0


def test_what_the_pool_tells_besides() -> None:
    status = report_status(
        StillPool(line=["a", "b"]),
        SNAPSHOT,
        pid=os.getpid(),
        now=1.0,
        hot_instances=1,
        oldest_wait_s=4.44,
        waiting_tokens=300,
        eta=WaitFigures(num_waits=5, coverage=0.9),
    )
    assert (status.num_waiting, status.oldest_wait_s, status.waiting_tokens) == (2, 4.4, 300)
    assert (status.hot_instances, status.eta.coverage) == (1, 0.9)


def test_states() -> None:
    """What keeps requests out comes before what would let them in."""

    def state(
        pool: StillPool, paused_notice: str | None = None, is_draining: bool = False
    ) -> PoolState:
        status = report_status(
            pool,
            SNAPSHOT,
            pid=os.getpid(),
            now=1.0,
            paused_notice=paused_notice,
            is_draining=is_draining,
        )
        assert status.reason or status.state is PoolState.READY
        assert status.notice == (paused_notice or "")
        return status.state

    pool = StillPool()
    assert state(pool) is PoolState.READY
    assert state(pool, "") is PoolState.PAUSED
    assert state(pool, "Back at noon.") is PoolState.PAUSED
    assert state(pool, "Back at noon.", is_draining=True) is PoolState.DRAINING
    assert state(StillPool(is_ready=False)) is PoolState.LOADING
    assert state(StillPool(is_ready=False, is_asleep=True)) is PoolState.READY
    pool.admission.failure = "The file is empty."
    assert state(pool, "", is_draining=True) is PoolState.FAILED
    pool.admission.is_closed = True
    assert state(pool) is PoolState.DRAINING


@pytest.mark.parametrize("num_free", [0, 1])
def test_the_next_wait(num_free: int) -> None:
    """Nobody waits while an instance is free."""
    status = report_status(StillPool(num_free=num_free), SNAPSHOT, pid=os.getpid(), now=1.0)
    assert status.eta_s == (0.0 if num_free else None)


def test_earlier_processes_are_counted() -> None:
    status = report_status(StillPool(), None, pid=1, now=1.0)
    assert status.num_restarts == 2
    assert "SIGKILL" in status.last_restart_cause
