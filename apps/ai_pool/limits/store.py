"""Where is counted: in Django's default cache, which may be a Redis elsewhere, and may be away."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

log = logging.getLogger(__name__)

REST_S = 5.0
"""A store that has failed is not asked again for so long: waiting for it would stall everybody."""
NUM_THREADS = 8
T = TypeVar("T")


class StoreAway(Exception):
    """The shared store does not answer; ``retry_after_s`` says when it is asked again."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the shared cache does not answer")
        self.retry_after_s = retry_after_s


class Store:
    """Asks the cache, and gives it a rest after a failure. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rests_until = float("-inf")
        self._threads: ThreadPoolExecutor | None = None

    def run(self, ask: Callable[[BaseCache], T]) -> T:
        """Return what ``ask(cache)`` returns; may wait for a second. Raises StoreAway."""
        rest_s = self._rests_until - self._clock()
        if rest_s > 0:
            raise StoreAway(rest_s)
        try:
            return ask(caches["default"])
        except _failures() as error:
            self._rests_until = self._clock() + REST_S
            log.warning("The shared cache does not answer (%s).", type(error).__name__)
            raise StoreAway(REST_S) from None

    async def arun(self, ask: Callable[[BaseCache], T]) -> T:
        """The same for the event loop, which never waits for another machine."""
        if isinstance(caches["default"], LocMemCache):
            return self.run(ask)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor(), self.run, ask)

    def _executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(NUM_THREADS, "limits")
            return self._threads


STORE = Store()
"""That of this process."""


def _failures() -> tuple[type[Exception], ...]:
    """What a store that is away raises; the driver is there only where it is used."""
    driver = sys.modules.get("redis.exceptions")
    return (OSError,) if driver is None else (OSError, driver.RedisError)
