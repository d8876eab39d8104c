"""A conversation that is kept in memory only: what the terminal and scripts talk through."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from django.conf import settings

from ai_model.pool.errors import PoolError
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolStatus
from ai_model.prompt import ChatMessage, Role
from apps.ai_chat import services
from apps.ai_chat.exchange import TERMINAL, Exchange, JsonFrame
from apps.ai_chat.sampling import sampling_for

if TYPE_CHECKING:
    from ai_model.pool.client import PoolClient

PATIENCE_S = 60.0
STATUS_TIMEOUT_S = 2.0


class Dialogue:
    """Questions and answers with one pool. Belongs to one event loop; one question at a time."""

    def __init__(
        self,
        connect: Callable[[], PoolClient],
        *,
        visitor: str = "terminal",
        earlier: tuple[ChatMessage, ...] = (),
    ) -> None:
        """``connect`` returns the pool's client, ``visitor`` is the key the pool counts by."""
        self._connect = connect
        self._visitor = f"{visitor}:{uuid.uuid4().hex[:12]}"
        self._turns: list[ChatMessage] = list(earlier)
        self._exchange: Exchange | None = None
        self._conversation = uuid.uuid4()

    def begin_anew(self) -> None:
        """Forget what was said."""
        self._turns.clear()
        self._conversation = uuid.uuid4()

    async def status(self) -> PoolStatus:
        """How the pool is doing; a pool that cannot be reached is ``down``."""
        try:
            return await self._connect().status(timeout_s=STATUS_TIMEOUT_S)
        except (PoolError, TimeoutError, OSError) as error:
            return PoolStatus.down(str(error))

    async def ask(
        self, text: str, generation: uuid.UUID | None = None
    ) -> AsyncGenerator[JsonFrame, None]:
        """Yield the frames of the answer; the last one is ``gen.done`` or ``gen.error``.

        ``generation`` is its id, when it has one already. Raises ChatError for a question that is
        empty or too long.
        """
        text = services.clean_text(text)
        system = ChatMessage(Role.SYSTEM, settings.CORRAL_SYSTEM_PROMPT)
        asked = ChatMessage(Role.USER, text)
        request = PoolRequest(
            generation=str(generation or uuid.uuid4()),
            conversation=str(self._conversation),
            visitor=self._visitor,
            messages=(system, *self._turns[-services.MAX_HISTORY_MESSAGES :], asked),
            sampling=sampling_for(await self.status()),
        )
        exchange = Exchange(request.generation, self._connect, patience_s=PATIENCE_S)
        self._exchange = exchange
        try:
            async with aclosing(exchange.frames(request)) as frames:
                async for frame in frames:
                    if frame["type"] in TERMINAL:
                        if exchange.text:
                            self._turns += [asked, ChatMessage(Role.ASSISTANT, exchange.text)]
                        await exchange.acknowledge()
                    yield frame
        finally:
            self._exchange = None

    async def stop(self, seen: int | None = None) -> None:
        """End the answer that is being written, if there is one."""
        if self._exchange is not None:
            await self._exchange.stop(seen)
