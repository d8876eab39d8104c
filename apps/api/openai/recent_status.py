"""How the pool is doing, asked once for all who come at the same moment."""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import services as pool

FRESH_S = 0.5
"""Whether there is room is decided by the pool itself; this only says what model answers."""


@dataclass(frozen=True, slots=True)
class _Look:
    begun_at: float
    task: asyncio.Task[PoolStatus]

    def is_good(self, now: float) -> bool:
        """Whether it may be used: it is on its way, or fresh and of a pool that answers."""
        if not self.task.done():
            return True
        is_ready = not self.task.cancelled() and self.task.result().state is PoolState.READY
        return is_ready and now - self.begun_at < FRESH_S


_looks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Look] = weakref.WeakKeyDictionary()
"""The last one of each event loop."""


async def recent_status() -> PoolStatus:
    """Return a status that is half a second old at most. Never raises; waits 3 s at most."""
    # Whoever goes away takes nobody's answer along.
    return await asyncio.shield(look_ahead())


def look_ahead() -> asyncio.Task[PoolStatus]:
    """Ask the pool, if nobody has within half a second, for somebody who has other things to do
    before they want to know."""
    loop = asyncio.get_running_loop()
    look = _looks.get(loop)
    if look is None or not look.is_good(loop.time()):
        look = _looks[loop] = _Look(loop.time(), loop.create_task(pool.pool_status()))
    return look.task
