"""What the readers of a pool's answers have, for tests."""

from __future__ import annotations

from ai_model.pool.frames import Frame
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from tests.ai_model.pool.builders import (
    check_log,
    until,
)


def frames_of(pool: Pool, request: PoolRequest) -> list[Frame]:
    """Return the durable frames so far."""
    log = pool.logs.find(request.generation)
    assert log is not None
    return log.replay()


def is_ended(pool: Pool, request: PoolRequest) -> bool:
    """Return whether the terminal frame is there."""
    log = pool.logs.find(request.generation)
    return log is not None and log.is_ended


async def ended(pool: Pool, *requests: PoolRequest) -> list[Frame]:
    """Wait for the ends of requests; returns their terminal frames."""
    await until(lambda: all(is_ended(pool, request) for request in requests))
    return [check_log(frames_of(pool, request)) for request in requests]
