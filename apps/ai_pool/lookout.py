"""Looks at the pool for everybody who wants to know in this process: once a second at most."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from dataclasses import replace

from ai_model.pool.errors import PoolError
from apps.ai_pool import services
from apps.ai_pool.connection import get_pool_client
from apps.ai_pool.look import Look
from apps.ai_pool.watchers import Watchers

FRESH_S = 0.95
"""A look is good for so long. A little less than a second, so that a tick never finds the last."""
LINE_TIMEOUT_S = 1.5


class Lookout:
    """The newest look, and those who wait for the next. Belongs to one event loop.

    It does nothing by itself: when nobody asks, the pool is not asked.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.watchers = Watchers()
        self._newest: Look | None = None
        # Whoever comes while somebody asks the pool waits here, and then finds a fresh look.
        self._lock = asyncio.Lock()

    async def look(self, *, with_line: bool = False) -> Look:
        """Return a look of the last second; ``with_line`` has those who wait in it as well.

        Never raises, never waits for decoding, a few seconds at most when the pool hangs.
        """
        async with self._lock:
            look = self._newest
            if look is None or self.loop.time() - look.at >= FRESH_S:
                at = self.loop.time()
                status = await services.pool_status()
                look = Look(status=status, at=at, unix_s=round(time.time(), 2))
            if with_line and look.line is None:
                look = await _with_line(look)
            self._newest = look
            return look


async def _with_line(look: Look) -> Look:
    if not look.status.num_waiting:
        return replace(look, line=())
    try:
        line = await get_pool_client().list_waiting(timeout_s=LINE_TIMEOUT_S)
    except (PoolError, OSError, TimeoutError, ValueError):
        return replace(look, line=())
    return replace(look, line=line)


_lookouts: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Lookout] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()


def get_lookout() -> Lookout:
    """Return the lookout of the running event loop. Thread-safe."""
    loop = asyncio.get_running_loop()
    with _lock:
        known = _lookouts.get(loop)
        if known is None:
            known = _lookouts[loop] = Lookout()
        return known


async def close_current_lookout() -> None:
    """Say good-bye to all who watch in the running event loop; nobody comes in any more."""
    await get_lookout().watchers.close()


def sign_out_everywhere(session_key: str) -> None:
    """End what is watched with a session in this process. Thread-safe."""
    with _lock:
        known = list(_lookouts.values())
    for lookout in known:
        try:
            lookout.loop.call_soon_threadsafe(lookout.watchers.sign_out, session_key)
        except RuntimeError:
            # That loop has ended, and its watchers with it.
            continue
