"""A fake pool and tabs for the tests of the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from apps.ai_chat import generations
from tests.apps.ai_chat.fake_pool import FakePool
from tests.apps.ai_chat.tab import Tab

OpenTab = Callable[..., Awaitable[Tab]]


@pytest_asyncio.fixture
async def pool(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakePool]:
    """The pool everything in this test talks to; the chat is closed behind the test."""
    fake = FakePool()
    monkeypatch.setattr(generations, "pool_client", lambda: fake)
    monkeypatch.setattr(generations, "pool_status", fake.status_or_down)
    yield fake
    await generations.close_current_registry()


@pytest_asyncio.fixture
async def open_tab(pool: FakePool) -> AsyncIterator[OpenTab]:
    """Opens tabs that have said hello; closes them behind the test."""
    tabs: list[Tab] = []

    async def make(visitor_id: str | None = "a" * 32, *, hello: bool = True, **options: Any) -> Tab:
        tab = Tab(visitor_id, **options)
        tabs.append(tab)
        if hello:
            await tab.open()
        else:
            await tab.connect()
        return tab

    yield make
    for tab in tabs:
        with suppress(Exception):
            await tab.close()
