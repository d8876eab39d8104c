"""A client of a pool with a fake engine, and what it reads, for tests."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.frames import Frame
from ai_model.pool.pool import Pool
from ai_model.pool.server import PoolServer
from tests.ai_model.pool.builders import running_pool
from tests.ai_model.pool.fake_engine import FakeEngine


@contextlib.asynccontextmanager
async def connected(
    directory: Path, config: PoolConfig | None = None, **engine_options: object
) -> AsyncIterator[tuple[PoolClient, FakeEngine, Pool, PoolServer]]:
    """A client of a pool with a fake engine."""
    async with running_pool(config, **engine_options) as (pool, engine):
        server = PoolServer(pool, directory / "pool.sock")
        await server.start()
        client = PoolClient(server.socket_path)
        try:
            yield client, engine, pool, server
        finally:
            await client.close()
            await server.close()


async def collect(client: PoolClient, generation: str, after: int = 0) -> list[Frame]:
    """Follow a generation to its end."""
    return [frame async for frame in client.subscribe(generation, after=after)]
