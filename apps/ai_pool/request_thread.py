"""Gives the thread of a request back before its answer is read for minutes."""

from __future__ import annotations

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections


async def release_thread() -> None:
    """Give up the thread that worked for this request so far; the next work gets a new one.

    Otherwise it would wait, with its connection to the database, as long as somebody reads.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.get(context) if context else None
    if context is None or executor is None:
        return
    await sync_to_async(connections.close_all)()
    SyncToAsync.context_to_thread_executor.pop(context, None)
    executor.shutdown(wait=False)
