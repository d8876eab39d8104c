"""Those who watch the pool in this process, and how many of them there may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

from django.conf import settings

MAX_STAFF = 50
MAX_PER_ADDRESS = 8
"""Of the public, from one block of addresses; otherwise one network could take every place."""
GOODBYE_TIMEOUT_S = 1.0


class Bye(StrEnum):
    """Why watching ended."""

    SIGNED_OUT = "signed_out"
    CLOSING = "closing"
    OVER = "over"
    SLOW = "slow"


class TooManyWatchers(Exception):
    """There is no place left for another one."""


class Watcher:
    """Somebody who watches. Belongs to one event loop.

    ``address`` names a block of addresses; "" is one that nobody knows and that counts for nobody.
    """

    def __init__(self, *, session_key: str = "", is_staff: bool = False, address: str = "") -> None:
        self.session_key = session_key
        self.is_staff = is_staff
        self.address = address
        self.bye: Bye | None = None
        self._has_left = asyncio.Event()

    def leave(self, bye: Bye) -> None:
        """Tell this one no more; the first reason counts."""
        self.bye = self.bye or bye
        self._has_left.set()

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until this one has to leave."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._has_left.wait()


class Watchers:
    """All of one event loop. Bounded: the public by the setting, staff and networks besides."""

    def __init__(self) -> None:
        self._all: set[Watcher] = set()
        self._is_closed = False
        self._is_empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._all)

    def admit(self, watcher: Watcher) -> None:
        """Give a place to this one until ``part``. Raises TooManyWatchers."""
        if self._is_closed:
            raise TooManyWatchers
        if watcher.is_staff:
            if self._count(lambda other: other.is_staff) >= MAX_STAFF:
                raise TooManyWatchers
        elif self._count(lambda other: not other.is_staff) >= settings.CORRAL_POOL_WATCHERS or (
            watcher.address
            and self._count(lambda other: other.address == watcher.address) >= MAX_PER_ADDRESS
        ):
            raise TooManyWatchers
        self._all.add(watcher)
        self._is_empty.clear()

    def part(self, watcher: Watcher) -> None:
        """Take the place back. Idempotent."""
        self._all.discard(watcher)
        if not self._all:
            self._is_empty.set()

    def sign_out(self, session_key: str) -> None:
        """End what is watched with a session."""
        for watcher in tuple(self._all):
            if watcher.session_key == session_key:
                watcher.leave(Bye.SIGNED_OUT)

    async def close(self) -> None:
        """Say good-bye to all and wait until they have gone; nobody comes in any more."""
        self._is_closed = True
        for watcher in tuple(self._all):
            watcher.leave(Bye.CLOSING)
        if self._all:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                    await self._is_empty.wait()

    def _count(self, counts: Callable[[Watcher], bool]) -> int:
        return sum(map(counts, self._all))
