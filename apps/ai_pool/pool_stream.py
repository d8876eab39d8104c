"""What one watcher is told about the pool, one object after the other, until it is over."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator
from typing import Any

from apps.ai_pool.look import Look, json_bytes
from apps.ai_pool.lookout import Lookout
from apps.ai_pool.sight import session_sees_everything
from apps.ai_pool.watchers import Bye, Watcher

log = logging.getLogger(__name__)

EVERY_S = (1, 20)
TICK_S = 1.0
"""What ``?every=1`` means."""
RIGHTS_EVERY_S = 5.0
RIGHTS_HOLD_S = 60.0
"""So long rights are believed when the database does not answer: then the operator looks here."""
REPEAT_S = 10.0
MAX_UNREAD_BYTES = 16 * 1024
"""With so much unread nothing is sent: who reads slowly gets fewer looks, not older ones."""
MAX_SLOW_S = 30.0
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


def every_of(text: str) -> int:
    """Return the seconds of ``?every=``, within their bounds; nonsense is the usual second."""
    low, high = EVERY_S
    return min(high, max(low, int(text))) if _NUMBER.fullmatch(text) else low


class PoolStream:
    """Objects for one watcher, who has a place already. Belongs to one event loop; read it once.

    ``backlog`` tells how much its line holds unread, if the server can tell.
    """

    def __init__(
        self, lookout: Lookout, watcher: Watcher, *, every: int = 1, backlog: Any = None
    ) -> None:
        self._lookout = lookout
        self._watcher = watcher
        self._every_s = every * TICK_S
        self._backlog = backlog
        self._told: Look | None = None
        self._told_at = -math.inf
        self._spoke_at = -math.inf
        self._proven_at = self._asked_at = lookout.loop.time()
        self._slow_since: float | None = None

    async def objects(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield name and JSON of each, ``bye`` last."""
        while True:
            await self._check_rights()
            if self._watcher.bye is None and self._can_be_told():
                look = await self._lookout.look(with_line=self._watcher.is_staff)
                news = self._news(look)
                # They may have been taken away while the pool was asked.
                if news is not None and self._watcher.bye is None:
                    yield news
            if self._watcher.bye is not None:
                yield "bye", json_bytes({"type": "bye", "why": str(self._watcher.bye)})
                return
            await self._watcher.wait(self._seconds_to_tick())

    def _news(self, look: Look) -> tuple[str, bytes] | None:
        is_staff = self._watcher.is_staff
        now = self._lookout.loop.time()
        is_time = is_staff and now - self._told_at >= REPEAT_S
        if is_time or look.says_more_than(self._told, is_staff=is_staff):
            self._told, self._told_at, self._spoke_at = look, now, now
            return "status", look.for_staff if is_staff else look.for_everybody
        if is_staff or now - self._spoke_at >= REPEAT_S:
            self._spoke_at = now
            return "same", look.same
        return None

    def _can_be_told(self) -> bool:
        """Return whether the line has room; a reader without any for long is given up."""
        if self._backlog is None or self._backlog.num_bytes <= MAX_UNREAD_BYTES:
            self._slow_since = None
            return True
        now = self._lookout.loop.time()
        self._slow_since = self._slow_since or now
        if now - self._slow_since >= MAX_SLOW_S:
            self._watcher.leave(Bye.SLOW)
        return False

    async def _check_rights(self) -> None:
        """Look up again what staff may see; it may have been taken away since."""
        now = self._lookout.loop.time()
        if not self._watcher.is_staff or now - self._asked_at < RIGHTS_EVERY_S:
            return
        self._asked_at = now
        try:
            async with asyncio.timeout(RIGHTS_EVERY_S):
                may_see = await session_sees_everything(self._watcher.session_key)
        except Exception as error:
            log.warning("A watcher's rights could not be looked up (%s).", type(error).__name__)
            may_see = now - self._proven_at < RIGHTS_HOLD_S
        else:
            self._proven_at = now
        if not may_see:
            self._watcher.leave(Bye.SIGNED_OUT)

    def _seconds_to_tick(self) -> float:
        """Until the next multiple: all wake at the same moment and share one look."""
        now = self._lookout.loop.time()
        return (math.floor(now / self._every_s + 1e-6) + 1) * self._every_s - now
