"""How many sockets this process holds open for people nobody vouches for."""

from __future__ import annotations

from collections import Counter

from django.conf import settings

from apps.ai_pool.limits.refusals import ADDRESS_SOCKETS, ALL_SOCKETS, REFUSALS

RETRY_S = 10.0
"""Tabs come and go; there is no telling when."""


class NoPlace(Exception):
    """As many sockets are open as may be; ``retry_after_s`` says when to try again."""

    retry_after_s = RETRY_S


class SocketPlaces:
    """Counts sockets in all and by the line they come from. Lives on one event loop.

    A socket that ends with its process needs no shared store: each process has its own places.
    """

    def __init__(self) -> None:
        self.num_taken = 0
        self._by_line: Counter[str] = Counter()

    def take(self, line: str) -> Place:
        """Take a place for a socket from ``line`` ("" tells nothing). Raises NoPlace."""
        most = settings.CORRAL_ANONYMOUS_SOCKETS
        if most and self.num_taken >= most:
            REFUSALS.count(ALL_SOCKETS)
            raise NoPlace
        most = settings.CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS
        if line and most and self._by_line[line] >= most:
            REFUSALS.count(ADDRESS_SOCKETS)
            raise NoPlace
        self.num_taken += 1
        if line:
            self._by_line[line] += 1
        return Place(self, line)

    def _leave(self, line: str) -> None:
        self.num_taken -= 1
        if line:
            self._by_line[line] -= 1
            if not self._by_line[line]:
                del self._by_line[line]


class Place:
    """That of one socket; whoever has one must leave it."""

    def __init__(self, places: SocketPlaces, line: str) -> None:
        self._places: SocketPlaces | None = places
        self._line = line

    def leave(self) -> None:
        """Make room: the socket has ended, or somebody vouches for its visitor. Idempotent."""
        places, self._places = self._places, None
        if places is not None:
            places._leave(self._line)


PLACES = SocketPlaces()
"""Those of this process."""
