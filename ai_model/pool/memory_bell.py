"""Listens for the kernel's word that work waits for memory, on the pool's loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from ai_model.memory.pressure_alarm import PressureAlarm

logger = logging.getLogger(__name__)


class MemoryBell:
    """Calls ``on_ring`` when work starts to wait for memory, at most about once a second.

    Lives on the loop that runs when it is first hung up. Where the kernel has no such alarm, or
    this user may not have it, it never rings. ``close`` it.
    """

    def __init__(
        self,
        on_ring: Callable[[], None],
        open_alarm: Callable[[Path], PressureAlarm | None] = PressureAlarm.opened,
    ) -> None:
        self._on_ring = on_ring
        self._open_alarm = open_alarm
        self._path: Path | None = None
        self._alarm: PressureAlarm | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_hung(self) -> bool:
        """Whether it can ring."""
        return self._alarm is not None

    def hang(self, path: Path) -> None:
        """Listen to this file of the kernel from now on; nothing changes if it is the same one."""
        if path == self._path:
            return
        self.close()
        self._path = path
        alarm = self._open_alarm(path)
        if alarm is None:
            logger.debug("%s gives no alarm.", path)
            return
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(alarm.fileno(), self._ring)
        self._alarm = alarm

    def _ring(self) -> None:
        if self._alarm is not None:
            self._alarm.take()
            self._on_ring()

    def close(self) -> None:
        """Listen no more. Idempotent; to be called on its loop."""
        if self._alarm is not None and self._loop is not None:
            self._loop.remove_reader(self._alarm.fileno())
            self._alarm.close()
        self._alarm, self._path = None, None
