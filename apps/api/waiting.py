"""How long somebody wants to wait for an answer that is being written."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.http import HttpRequest

from apps.ai_chat.relay import GenerationRelay

MAX_WAIT_S = 300.0
"""Then the answer goes on without its reader, who can come back."""
MAX_WAITING = 64
"""In one process: who waits may hold a thread. Whoever comes then is told where to look instead."""
MAX_WAITING_EACH = 4
_waiting: Counter[str] = Counter()
_PREFER = re.compile(r"(?:^|[,;]\s*)wait(?:\s*=\s*\"?([0-9]{1,6})\"?)?\s*(?=$|[,;])", re.IGNORECASE)
_YES = frozenset({"1", "true", "yes"})


def wait_asked(request: HttpRequest) -> float:
    """Seconds to wait for the end: ``Prefer: wait=20``, or as long as it takes (within bounds) for
    ``Prefer: wait`` and ``?wait=1``; 0 for everybody else."""
    found = _PREFER.search(request.headers.get("Prefer", "")[:200])
    if found is not None:
        return MAX_WAIT_S if found[1] is None else min(float(found[1]), MAX_WAIT_S)
    return MAX_WAIT_S if request.GET.get("wait", "").lower() in _YES else 0.0


@contextmanager
def place_to_wait(who: str) -> Iterator[bool]:
    """Hold one of the places for those who wait; False when there is none. For the event loop."""
    has_place = _waiting[who] < MAX_WAITING_EACH and _waiting.total() < MAX_WAITING
    if not has_place:
        yield False
        return
    _waiting[who] += 1
    try:
        yield True
    finally:
        _waiting[who] -= 1
        if not _waiting[who]:
            del _waiting[who]


async def wait_for_end(relay: GenerationRelay | None, wait_s: float) -> None:
    """Return when the answer has its end, or that time is over."""
    if relay is None or wait_s <= 0:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await relay.ended.wait()
