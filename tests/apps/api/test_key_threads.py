"""However many programs come, keys are looked up in a few threads."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from apps.api.key_threads import NUM_THREADS, in_key_thread


async def test_never_more_at_once_than_there_are_threads() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def look() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return threading.current_thread().name

    names = await asyncio.gather(*(in_key_thread(look) for _ in range(100)))
    assert 1 <= most <= NUM_THREADS
    assert len(set(names)) <= NUM_THREADS and all("corral-keys" in name for name in names)


async def test_what_it_raises_comes_back() -> None:
    def fail(text: str) -> None:
        raise ValueError(text)

    with pytest.raises(ValueError, match="no"):
        await in_key_thread(fail, "no")
