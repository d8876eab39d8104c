"""When a pool looks at memory: once a second, more often while it is tight, and when it is told."""

from __future__ import annotations

from collections.abc import Callable

from ai_model.pool.memory_bell import MemoryBell
from ai_model.pool.memory_watch import MemoryWatch
from ai_model.pool.timers import Timers

_TIMER = "memory"


class MemoryRounds:
    """Looks at memory again and again until it is closed. Lives on the pool's loop."""

    def __init__(
        self,
        memory: MemoryWatch,
        timers: Timers,
        make_bell: Callable[[Callable[[], None]], MemoryBell] = MemoryBell,
    ) -> None:
        self._memory = memory
        self._timers = timers
        self._bell = make_bell(self._hurry)
        self._is_closed = False

    def begin(self) -> None:
        """Look now and from now on; once is all where there is nothing to look with."""
        if self._is_closed:
            return
        self._memory.look()
        if self._memory.stall_file is not None:
            self._bell.hang(self._memory.stall_file)
        if self._memory.interval_s is not None:
            self._timers.arm(_TIMER, self._memory.interval_s, self.begin)

    def _hurry(self) -> None:
        """Work waits for memory: look at once, and more often for a while."""
        self._memory.hurry()
        self._timers.drop(_TIMER)
        self.begin()

    def close(self) -> None:
        """End it. Idempotent."""
        self._is_closed = True
        self._timers.drop(_TIMER)
        self._bell.close()
