"""What the database holds while sockets are open."""

from __future__ import annotations

import asyncio

from channels.db import database_sync_to_async

from apps.ai_chat.models import Message

ANNA, BERT = "a" * 32, "b" * 32


@database_sync_to_async
def row_of(generation: str) -> Message:
    return Message.objects.select_related("conversation", "question").get(generation=generation)


@database_sync_to_async
def num_messages() -> int:
    return Message.objects.count()


async def wait_for_state(generation: str, *states: str, timeout_s: float = 5) -> Message:
    async with asyncio.timeout(timeout_s):
        while (row := await row_of(generation)).state not in states:
            await asyncio.sleep(0.01)
    return row
