"""The client of the pool for the event loop that runs: one each, closed when the loop ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections.abc import AsyncGenerator

from ai_model.pool.client import PoolClient
from apps.ai_pool import lifecycle

_lock = threading.Lock()
_clients: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, tuple[PoolClient, AsyncGenerator[None]]
] = weakref.WeakKeyDictionary()


def get_pool_client() -> PoolClient:
    """Return the client of the running event loop, making it when there is none.

    It connects by itself when it is first used, and again after the pool was restarted. Callers do
    not close it. Raises RuntimeError outside an event loop and conf.ImpossibleSetting for a wrong
    CORRAL_POOL_URL. Thread-safe.
    """
    loop = asyncio.get_running_loop()
    with _lock:
        known = _clients.get(loop)
        if known is not None:
            return known[0]
        client = PoolClient(lifecycle.socket_path())
        _clients[loop] = client, _close_with_loop(client)
        return client


async def close_pool_client() -> None:
    """Close the client of the running event loop, if it has one. The next one asked for is new."""
    with _lock:
        known = _clients.pop(asyncio.get_running_loop(), None)
    if known is not None:
        await known[1].aclose()


def _close_with_loop(client: PoolClient) -> AsyncGenerator[None]:
    """Tie ``client`` to the running loop.

    A loop closes the asynchronous generators it has started before it ends (asyncio.run, pytest and
    asgiref all see to that), which is the only sign of its end that a library can get.
    """
    lifetime = _lifetime(client)
    with contextlib.suppress(StopIteration):
        lifetime.asend(None).send(None)
    return lifetime


async def _lifetime(client: PoolClient) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await client.close()
