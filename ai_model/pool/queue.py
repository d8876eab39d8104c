"""The line of requests that wait for an instance: first come, first served, bounded."""

from __future__ import annotations

from collections.abc import Iterator


class LineFull(Exception):
    """Raised by push() when the line has no place left."""


class WaitingLine:
    """Ids in order of arrival, each with a deadline in monotonic seconds. Pure: it has no clock.

    A later form may serve visitors in turn; its callers only see push, pop, remove and position.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._deadlines: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._deadlines)

    def __iter__(self) -> Iterator[str]:
        """Yield the ids, the next one to be served first."""
        return iter(tuple(self._deadlines))

    def __contains__(self, entry: str) -> bool:
        return entry in self._deadlines

    def push(self, entry: str, deadline: float) -> int:
        """Add ``entry`` at the end and return its position. Raises LineFull, KeyError if known."""
        if entry in self._deadlines:
            raise KeyError(f"{entry} is waiting already")
        if len(self._deadlines) >= self.max_size:
            raise LineFull
        self._deadlines[entry] = deadline
        return len(self._deadlines)

    def push_front(self, entry: str, deadline: float) -> None:
        """Give back ``entry`` its place at the front; it has been served too early."""
        self._deadlines = {entry: deadline} | self._deadlines

    def pop(self) -> str | None:
        """Remove and return the id that has waited longest, or None."""
        entry = next(iter(self._deadlines), None)
        if entry is not None:
            del self._deadlines[entry]
        return entry

    def remove(self, entry: str) -> bool:
        """Let ``entry`` leave the line; returns whether it was in it."""
        return self._deadlines.pop(entry, None) is not None

    def position(self, entry: str) -> int:
        """Return the place of ``entry``, 1 for the next. Raises KeyError."""
        for place, waiting in enumerate(self._deadlines, start=1):
            if waiting == entry:
                return place
        raise KeyError(entry)

    def expire(self, now: float) -> list[str]:
        """Remove and return, in order, the ids whose deadline has passed."""
        late = [entry for entry, deadline in self._deadlines.items() if deadline <= now]
        for entry in late:
            del self._deadlines[entry]
        return late
