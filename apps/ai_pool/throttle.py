"""How often one network may ask for the public status: a bucket of turns for each."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

TURNS_PER_S = 5.0
MAX_TURNS = 60.0
MAX_BLOCKS = 4096


class Throttle:
    """Turns of each block of addresses. Not thread-safe; lives on the event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Turns left and when that was so; who came last stands last."""

    def take(self, block: str) -> float:
        """Take a turn; return 0, or the seconds until there is one. "" always gets one."""
        if not block:
            return 0.0
        now = self._clock()
        turns, at = self._left.pop(block, (MAX_TURNS, now))
        turns = min(MAX_TURNS, turns + (now - at) * TURNS_PER_S)
        wait_s = 0.0 if turns >= 1 else (1 - turns) / TURNS_PER_S
        self._left[block] = (turns if wait_s else turns - 1, now)
        while len(self._left) > MAX_BLOCKS:
            # Who has not come for longest has the fullest bucket, more or less.
            self._left.popitem(last=False)
        return wait_s


THROTTLE = Throttle()
"""That of this process."""
