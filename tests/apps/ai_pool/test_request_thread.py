"""A request that is read for minutes gives its thread back."""

from __future__ import annotations

import threading

from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async

from apps.ai_pool.request_thread import release_thread


async def test_the_thread_ends_and_the_next_work_gets_another() -> None:
    async with ThreadSensitiveContext() as context:
        first = await sync_to_async(threading.current_thread)()
        await release_thread()
        assert context not in SyncToAsync.context_to_thread_executor
        first.join(5)
        assert not first.is_alive()
        assert await sync_to_async(threading.current_thread)() is not first
        await release_thread()
        await release_thread()


async def test_outside_of_a_request_there_is_nothing_to_give_back() -> None:
    await release_thread()
