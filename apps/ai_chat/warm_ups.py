"""Lets the pool read a conversation before its next question is sent, within bounds."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence

from channels.db import database_sync_to_async

from ai_model.prompt import ChatMessage
from apps.ai_chat import services
from apps.ai_chat.visitor import Visitor

EVERY_S = 10.0
"""A conversation is warmed up at most so often, whatever its visitor's pages ask for."""
MAX_AT_ONCE = 2
MAX_REMEMBERED = 1000


async def warm_up(*, conversation: str, visitor: str, messages: Sequence[ChatMessage]) -> bool:
    """Ask the pool; returns whether an instance was idle for it."""
    from apps.ai_pool import services as pool_services

    return await pool_services.warm_up(
        conversation=conversation, visitor=visitor, messages=messages
    )


class WarmUps:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, uuid.UUID | None], float] = OrderedDict()
        self._num_running = 0

    async def begin(self, visitor: Visitor, conversation: uuid.UUID | None) -> bool:
        """Warm up a conversation, or the beginning of a new one; False if it was not the time.

        Somebody else's conversation is ``not_found``. A pool that is away or busy is no error.
        """
        messages = await database_sync_to_async(services.warm_messages)(
            visitor=visitor, conversation_id=conversation
        )
        if self._num_running >= MAX_AT_ONCE or not self._is_time(visitor, conversation):
            return False
        self._num_running += 1
        try:
            return await warm_up(
                conversation=str(conversation or uuid.uuid4()),
                visitor=visitor.pool_key,
                messages=messages,
            )
        finally:
            self._num_running -= 1

    def _is_time(self, visitor: Visitor, conversation: uuid.UUID | None) -> bool:
        key, now = (visitor.key, conversation), time.monotonic()
        if now - self._last.get(key, float("-inf")) < EVERY_S:
            return False
        self._last[key] = now
        self._last.move_to_end(key)
        while len(self._last) > MAX_REMEMBERED:
            self._last.popitem(last=False)
        return True
