"""Rings when work starts to wait for memory, so that nobody has to look more often."""

from __future__ import annotations

import contextlib
import os
import select
from pathlib import Path

_TRIGGERS = (b"some 150000 1000000\0", b"some 300000 2000000\0")
"""Microseconds of waiting within a window. Only root may have the short one."""


class PressureAlarm:
    """A trigger of the kernel's pressure-stall information. ``close`` it.

    ``fileno`` gets readable when it rings, so a selector or ``loop.add_reader`` can wait for it, at
    most once per window of 1 or 2 s. Whoever was woken calls ``take``, whatever that returns.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError where the kernel has no such trigger, or this user may not set one."""
        self._poll = select.epoll()
        self._file = -1
        try:
            self._file = _armed(path)
            self._poll.register(self._file, select.EPOLLPRI)
        except BaseException:
            self.close()
            raise

    @classmethod
    def opened(cls, path: Path) -> PressureAlarm | None:
        """Return an alarm, or None where there can be none."""
        try:
            return cls(path)
        except OSError:
            return None

    def fileno(self) -> int:
        """What to wait for; not the file of the kernel, which tells by an unusual event."""
        return self._poll.fileno()

    def take(self, timeout_s: float = 0.0) -> bool:
        """Return whether it rings now or within the time, and be quiet again.

        False for whoever was woken by ``fileno``: the kernel tells each ring to one only.
        """
        events = self._poll.poll(timeout_s)
        # The group is gone: it would ring for ever.
        if any(event & (select.EPOLLERR | select.EPOLLHUP) for _, event in events):
            self._poll.unregister(self._file)
            return False
        return bool(events)

    def close(self) -> None:
        """Stop. Idempotent."""
        self._poll.close()
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = -1


def _armed(path: Path) -> int:
    error: OSError | None = None
    for trigger in _TRIGGERS:
        # A file takes one trigger only.
        file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(file, trigger)
        except OSError as refused:
            os.close(file)
            error = refused
        else:
            return file
    assert error is not None
    raise error
