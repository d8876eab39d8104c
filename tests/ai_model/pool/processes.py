"""Real pool processes for tests: where they live, and how they are."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_model.pool.client import PoolClient
from ai_model.pool.status import PoolStatus
from ai_model.pool.supervisor import Supervisor, SupervisorState


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short name."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        yield Path(name)


def status_of(path: Path) -> PoolStatus:
    """Ask the pool behind a socket."""

    async def ask() -> PoolStatus:
        client = PoolClient(path)
        try:
            return await client.status()
        finally:
            await client.close()

    return asyncio.run(ask())


def is_running(supervisor: Supervisor) -> bool:
    """Return whether the pool process listens."""
    return supervisor.state is SupervisorState.RUNNING
