"""The status travels unchanged, between releases too, and begins with the lines owners know."""

from __future__ import annotations

from typing import Any

import pytest

from ai_model.pool.errors import BadFrame
from ai_model.pool.frames import decode, encode
from ai_model.pool.generation import Outcome
from ai_model.pool.histogram import HistogramFigures
from ai_model.pool.status import (
    InstanceStatus,
    MemoryStatus,
    ModelStatus,
    PoolState,
    PoolStatus,
)
from ai_model.pool.wait_record import WaitFigures

FULL = PoolStatus(
    state=PoolState.PAUSED,
    reason="why",
    notice="Back at noon.",
    pid=7,
    life="5f0c",
    num_restarts=2,
    model=ModelStatus(name="M", quant="Q8_0", is_demo=True, n_ctx=1024, kv_bytes_per_token=22_528),
    num_instances=2,
    hot_instances=1,
    max_instances=4,
    oldest_wait_s=3.5,
    waiting_tokens=900,
    instances=(InstanceStatus(index=0, state="idle", tok_s=1.5),),
    num_done=3,
    outcomes={"done": 3, "failed": 1, "cancelled": 6},
    errors={"internal": 1},
    deadlines={"stall": 1},
    refusals={"queue_full": 4},
    refusal_reasons={"tokens": 3, "wait": 1},
    latencies={"queue": HistogramFigures(bounds=(0.5, 1.0), counts=(1, 0, 2), total=9.5)},
    num_prompt_tokens=200,
    num_cached_tokens=150,
    num_generated_tokens=80,
    running_s=30.5,
    instance_s=100.25,
    utilisation_15min=0.3,
    utilisation_24h=0.2,
    wait_p50_s=0.5,
    cancel_p95_s=0.04,
    eta=WaitFigures(num_waits=60, coverage=0.9, promised_to_real=1.4, error_p50_s=0.5),
    memory=MemoryStatus(rss_bytes=10, anon_bytes=5, parked_bytes=0, pressure=0.8, level="medium"),
)


def test_text() -> None:
    """Exactly these lines."""
    status = PoolStatus(state=PoolState.READY, num_instances=10, num_running=2)
    assert status.as_text() == "Pool Status:\n   Available: 8/10\n   In Use: 2\n   Waiting: 0"


@pytest.mark.parametrize("state", [PoolState.LOADING, PoolState.PAUSED, PoolState.DRAINING])
def test_nothing_is_available_unless_ready(state: PoolState) -> None:
    """Idle instances of a pool that loads or takes nothing can take nobody."""
    status = PoolStatus(state=state, num_instances=4, num_waiting=3)
    assert "Available: 0/4" in status.as_text()
    assert "Available: 0/0" in PoolStatus.down("No pool is running.").as_text()


def test_round_trip() -> None:
    """Through JSON and back."""
    frame = decode(encode({"type": "status", "status": FULL.to_json()}))
    assert PoolStatus.from_json(frame["status"]) == FULL


def test_an_older_pool_can_be_read() -> None:
    """What it does not tell has its default."""
    old: dict[str, Any] = {
        "state": "ready",
        "protocol": "pool.v1",
        "num_instances": 3,
        "model": {"name": "M", "quant": "Q", "is_demo": False, "n_ctx": 512},
        "instances": [{"index": 0, "state": "idle"}],
        "outcomes": {"done": 1},
    }
    status = PoolStatus.from_json(old)
    assert (status.state, status.num_instances) == (PoolState.READY, 3)
    assert (status.memory, status.eta, status.utilisation_24h) == (
        MemoryStatus(),
        WaitFigures(),
        None,
    )


def test_a_later_pool_can_be_read() -> None:
    """Unknown states count as down, unknown fields are ignored wherever they are."""
    values = FULL.to_json() | {"state": "dancing", "new": 1}
    values["memory"] = values["memory"] | {"new": 1}
    values["eta"] = values["eta"] | {"new": 1}
    values["model"] = values["model"] | {"new": 1}
    values["instances"] = [values["instances"][0] | {"new": 1}]
    status = PoolStatus.from_json(values)
    assert status.state is PoolState.DOWN
    assert (status.memory, status.eta, status.instances) == (FULL.memory, FULL.eta, FULL.instances)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"state": 1},
        {"state": "ready"},
        FULL.to_json() | {"eta": []},
        FULL.to_json() | {"memory": {"rss_bytes": "much"}},
        FULL.to_json() | {"instances": [{}]},
        FULL.to_json() | {"refusals": {"queue_full": -1}},
    ],
)
def test_rubbish(value: object) -> None:
    """Is BadFrame."""
    with pytest.raises(BadFrame):
        PoolStatus.from_json(value)


def test_ratios() -> None:
    """Who went away does not count as a failure; nothing divides by zero."""
    assert FULL.reuse_ratio == 0.75
    assert FULL.ok_ratio == 0.75
    assert FULL.kv_bytes_per_instance == 1024 * 22_528
    empty = PoolStatus(state=PoolState.READY, outcomes={str(Outcome.CANCELLED): 5})
    assert (empty.reuse_ratio, empty.ok_ratio, empty.kv_bytes_per_instance) == (None, None, 0)
