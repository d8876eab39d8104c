"""Named one-shot timers on an event loop, all of which end together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Timers:
    """At most one pending call per name. Lives on the loop that is running when first armed."""

    def __init__(self) -> None:
        self._handles: dict[str, asyncio.TimerHandle] = {}
        self._is_closed = False

    def arm(self, name: str, delay_s: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` once after ``delay_s``; a pending call of that name stays as it is."""
        if self._is_closed or name in self._handles:
            return

        def fire() -> None:
            del self._handles[name]
            callback()

        self._handles[name] = asyncio.get_running_loop().call_later(delay_s, fire)

    def drop(self, name: str) -> None:
        """Forget the pending call of that name, if there is one."""
        handle = self._handles.pop(name, None)
        if handle is not None:
            handle.cancel()

    def close(self) -> None:
        """Forget all pending calls and arm no more."""
        self._is_closed = True
        for name in list(self._handles):
            self.drop(name)
