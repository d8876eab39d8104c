"""Who reads an answer while it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable


class Audience:
    """The clients that follow one generation, and how many people each of them has.

    A client that says nothing counts as somebody; a web process follows for its visitors and can
    say that they have all left. All times are monotonic seconds. Lives on the pool's loop.
    """

    def __init__(self, now: float) -> None:
        self.unwatched_since: float | None = now
        """Since when nobody reads; None while somebody does."""
        self._followers: Counter[Hashable] = Counter()
        self._num_viewers: dict[Hashable, int] = {}

    @property
    def num_followers(self) -> int:
        """Clients that follow, each as often as it does."""
        return self._followers.total()

    def join(self, client: Hashable) -> None:
        """A client follows the frames from now on; it may do so more than once."""
        self._followers[client] += 1
        self._look(None)

    def leave(self, client: Hashable, now: float) -> None:
        """A follower of ``client`` is gone; the generation goes on."""
        self._followers[client] -= 1
        if self._followers[client] <= 0:
            del self._followers[client]
            self._num_viewers.pop(client, None)
        self._look(now)

    def count(self, client: Hashable, num_viewers: int, now: float) -> None:
        """Note for how many people a client follows. Idempotent."""
        self._num_viewers[client] = num_viewers
        self._look(now)

    def _look(self, now: float | None) -> None:
        if any(self._num_viewers.get(client, 1) > 0 for client in self._followers):
            self.unwatched_since = None
        elif self.unwatched_since is None:
            self.unwatched_since = now
