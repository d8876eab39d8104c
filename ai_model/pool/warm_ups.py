"""Warm-ups: what a conversation has said so far is read in idle time, before the next question."""

from __future__ import annotations

import logging

from ai_model.engine.errors import EngineError
from ai_model.engine.events import EngineEvent, Finished
from ai_model.pool.capacity import Capacity
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.register import Register
from ai_model.pool.request import PoolRequest
from ai_model.pool.tasks import Tasks
from ai_model.prompt import PromptTooLong

logger = logging.getLogger(__name__)


class WarmUps:
    """Begins warm-ups when nobody needs the instance. Lives on the pool's loop.

    A warm-up is no request: it is in no line, in no log and in no count, and the engine lets it
    give way to everybody.
    """

    def __init__(
        self,
        *,
        register: Register,
        engine: EngineLink,
        capacity: Capacity,
        tasks: Tasks,
    ) -> None:
        self._register = register
        self._engine = engine
        self._capacity = capacity
        self._tasks = tasks
        self._conversations: set[str] = set()
        """Conversations that are being read."""

    def begin(self, request: PoolRequest) -> bool:
        """Read the conversation of ``request`` if an instance is idle; returns whether it will.

        Only the keys and messages of the request count. Nothing happens for a conversation that is
        being read or answered already.
        """
        busy = len(self._register.held) + len(self._conversations)
        if not self._engine.is_ready or self._register.line or busy >= self._capacity.size:
            return False
        conversation = request.conversation
        if conversation in self._conversations or self._is_answered(conversation):
            return False
        self._conversations.add(request.conversation)
        self._tasks.spawn(self._begin(request))
        return True

    def _is_answered(self, conversation: str) -> bool:
        return any(one.request.conversation == conversation for one in self._register.live.values())

    async def _begin(self, request: PoolRequest) -> None:
        conversation = request.conversation

        def take(event: EngineEvent) -> None:
            if isinstance(event, Finished):
                self._conversations.discard(conversation)

        try:
            # As much room for the answer as the answer will have: history is cut alike.
            opening = await self._engine.make_opening(request)
            if self._is_answered(conversation):
                # The question came meanwhile, and its answer reads the same.
                self._conversations.discard(conversation)
            else:
                self._engine.submit(request, opening, on_warm_up=take)
        except (EngineError, PromptTooLong, ValueError) as error:
            logger.debug("A warm-up was not begun (%s).", type(error).__name__)
            self._conversations.discard(conversation)
        except BaseException:
            self._conversations.discard(conversation)
            raise
