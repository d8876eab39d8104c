"""Tells those who asked how the pool is doing: one look a second at most, however many watch."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from django.conf import settings

from apps.ai_chat.errors import ChatError

log = logging.getLogger(__name__)

TICK_S = 1.0


class Watcher:
    """Somebody who wants to know. What staff may see is told to staff only."""

    def __init__(self, put: Callable[[dict[str, Any]], None]) -> None:
        self.put = put
        self.every_s = TICK_S
        self.is_staff = False
        self.last_told = float("-inf")


class PoolWatch:
    """Looks at the pool while somebody watches. Belongs to one event loop."""

    def __init__(
        self,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        """``spawn`` runs a task that somebody ends."""
        self._spawn = spawn
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, watcher: Watcher) -> None:
        """Tell this one from now on. Raises ``forbidden`` where the owner switched it off."""
        if not (watcher.is_staff or settings.CORRAL_POOL_PUBLIC):
            raise ChatError("forbidden")
        self._watchers.add(watcher)
        if self._task is None or self._task.done():
            self._task = self._spawn(self._look_while_watched())

    def remove(self, watcher: Watcher) -> None:
        """Tell this one no more; somebody who does not watch is fine."""
        self._watchers.discard(watcher)

    async def _look_while_watched(self) -> None:
        while self._watchers:
            try:
                await self._tell()
            except Exception as error:
                log.warning("The pool's watchers could not be told (%s).", type(error).__name__)
            await asyncio.sleep(TICK_S)

    async def _tell(self) -> None:
        from apps.ai_chat import generations
        from apps.ai_pool import services as pool_services

        now = time.monotonic()
        # A little early is better than a whole tick late.
        due = [w for w in self._watchers if now - w.last_told >= w.every_s - TICK_S / 10]
        if not due:
            return
        status = await generations.pool_status()
        public = pool_services.public_form(status)
        for watcher in due:
            if watcher not in self._watchers:
                continue
            if not (watcher.is_staff or settings.CORRAL_POOL_PUBLIC):
                self._watchers.discard(watcher)
                continue
            watcher.last_told = now
            form = pool_services.staff_form(status) if watcher.is_staff else public
            watcher.put({"type": "pool.stats", **form})
