"""The status travels unchanged and begins with the lines owners know."""

from __future__ import annotations

import pytest

from ai_model.pool.errors import BadFrame
from ai_model.pool.frames import decode, encode
from ai_model.pool.status import InstanceStatus, ModelStatus, PoolState, PoolStatus


def test_text() -> None:
    """Exactly these lines."""
    status = PoolStatus(state=PoolState.READY, num_instances=10, num_running=2)
    assert status.as_text() == "Pool Status:\n   Available: 8/10\n   In Use: 2\n   Waiting: 0"


def test_nothing_is_available_without_a_model() -> None:
    """Idle instances of a pool that loads can take nobody."""
    status = PoolStatus(state=PoolState.LOADING, num_instances=4, num_waiting=3)
    assert "Available: 0/4" in status.as_text()
    assert "Available: 0/0" in PoolStatus.down("No pool is running.").as_text()


def test_round_trip() -> None:
    """Through JSON and back."""
    status = PoolStatus(
        state=PoolState.FAILED,
        reason="why",
        model=ModelStatus(name="M", quant="Q8_0", is_demo=True, n_ctx=1024),
        instances=(InstanceStatus(index=0, state="idle", tok_s=1.5),),
        outcomes={"done": 3},
        wait_p50_s=0.5,
    )
    frame = decode(encode({"type": "status", "status": status.to_json()}))
    assert PoolStatus.from_json(frame["status"]) == status


@pytest.mark.parametrize("value", [None, {}, {"state": 1}, {"state": "ready"}])
def test_rubbish(value: object) -> None:
    """Is BadFrame."""
    with pytest.raises(BadFrame):
        PoolStatus.from_json(value)


def test_a_state_of_a_later_release_is_not_ready() -> None:
    """Unknown states count as down, unknown fields are ignored."""
    values = PoolStatus(state=PoolState.READY).to_json() | {"state": "dancing", "new": 1}
    assert PoolStatus.from_json(values).state is PoolState.DOWN
