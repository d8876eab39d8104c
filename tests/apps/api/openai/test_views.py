"""Who goes away at the worst moment leaves nothing taken of a key's limits."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from apps.api.openai import views
from apps.api.spending import Spending


async def test_a_share_taken_for_nobody_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    is_taking, may_go_on = threading.Event(), threading.Event()
    settled: list[int] = []

    def begin(key: Any, num_tokens: int) -> Any:
        is_taking.set()
        assert may_go_on.wait(10)
        return SimpleNamespace(settle=settled.append)

    monkeypatch.setattr(Spending, "begin", begin)
    wanted: Any = SimpleNamespace(sampling=SimpleNamespace(max_tokens=5))
    asking = asyncio.create_task(views._begin(None, wanted))  # type: ignore[arg-type]
    await asyncio.to_thread(is_taking.wait, 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    may_go_on.set()
    async with asyncio.timeout(10):
        while not settled:
            await asyncio.sleep(0.01)
    assert settled == [0]
