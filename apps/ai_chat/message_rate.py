"""How often one visitor, and all of one address block, may ask for answers in this process."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator

from django.conf import settings

from apps.ai_chat.errors import ChatError
from apps.ai_chat.visitor import Visitor

WINDOW_S = 60.0
ADDRESS_FACTOR = 10
"""Behind one address there may be a school."""
MAX_KEYS = 20_000
"""The longest unheard keys are forgotten beyond so many: some 10 MB."""


class MessageRate:
    """Counts what was accepted in the last minute. Belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, visitor: Visitor) -> None:
        """Raise ``rate_limited`` with the time to wait, if another answer would be too many."""
        now = self._clock()
        waits = [self._wait_s(key, most, now) for key, most in _limits(visitor)]
        if waits and max(waits) > 0:
            raise ChatError("rate_limited", retry_after_s=max(1, round(max(waits))))

    def note(self, visitor: Visitor) -> None:
        """Another answer was asked for."""
        now = self._clock()
        for key, _ in _limits(visitor):
            times = self._times.setdefault(key, deque())
            self._times.move_to_end(key)
            times.append(now)
            while times[0] <= now - WINDOW_S:
                times.popleft()
        while len(self._times) > MAX_KEYS:
            self._times.popitem(last=False)

    def _wait_s(self, key: str, most: int, now: float) -> float:
        times = self._times.get(key, ())
        if len(times) < most:
            return 0.0
        # Room is made when the oldest of the last ``most`` is a minute old.
        return times[-most] + WINDOW_S - now


def _limits(visitor: Visitor) -> Iterator[tuple[str, int]]:
    most = int(settings.CORRAL_MESSAGES_PER_MINUTE)
    if not most or visitor.is_load_test:
        return
    asker = visitor.asker
    yield asker.visitor, most
    if asker.address:
        yield f"a:{asker.address}", most * ADDRESS_FACTOR
