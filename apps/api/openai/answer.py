"""One answer of the pool for a client of OpenAI's API, which knows no line and no numbering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from ai_model.pool.client import PoolClient
from ai_model.pool.request import PoolRequest
from apps.ai_chat.exchange import TERMINAL, Exchange, JsonFrame
from apps.api.openai.errors import OpenAIError
from apps.api.openai.logprobs import TextToken, TextTokens

PATIENCE_S = 15.0
"""Wait for a pool that is away: clients try again by themselves."""
STOP_TIMEOUT_S = 2.0


class Answer:
    """Follows one generation. Belongs to one event loop and one task; ``close`` frees its instance
    whenever its reader has gone."""

    def __init__(
        self,
        request: PoolRequest,
        connect: Callable[[], PoolClient],
        on_close: Callable[[int], Awaitable[None]],
    ) -> None:
        """``on_close`` is told how many tokens were written, perhaps more than once."""
        self._is_closed = False
        self._is_running = True
        self.done: JsonFrame | None = None
        """The pool's last frame, once the answer is whole."""
        self._exchange = Exchange(request.generation, connect, patience_s=PATIENCE_S)
        self._frames: AsyncGenerator[JsonFrame, None] = self._exchange.frames(request)
        self._on_close = on_close
        self._first = ""
        is_asked = request.sampling.num_top_odds is not None
        self._tokens = TextTokens() if is_asked else None

    async def open(self) -> None:
        """Wait until an instance reads the prompt. Raises OpenAIError for whatever keeps it from
        that, so that the status of the response can still say so."""
        self._first = await self._next_text(until_reading=True)

    async def texts(self) -> AsyncGenerator[str, None]:
        """Yield the answer as it is written; ``done`` is set behind the last text.

        Raises OpenAIError when it ends before its end.
        """
        if self._first:
            yield self._first
        while text := await self._next_text():
            yield text

    async def whole(self) -> str:
        """Return the answer when it is finished. Raises OpenAIError."""
        return "".join([text async for text in self.texts()])

    def take_tokens(self) -> list[TextToken] | None:
        """Return the tokens of the text since the last call; None unless the request asks."""
        if self._tokens is None:
            return None
        return self._tokens.take(self._exchange.odds, len(self._exchange.text))

    async def close(self) -> None:
        """End the generation unless it has ended. Idempotent; never raises."""
        if self._is_closed:
            return
        try:
            if self._is_running:
                with suppress(TimeoutError):
                    async with asyncio.timeout(STOP_TIMEOUT_S):
                        await self._exchange.stop()
            await self._frames.aclose()
            if self._exchange.was_accepted:
                await self._exchange.acknowledge()
        finally:
            await self._on_close(self.num_written)
        self._is_closed = True

    @property
    def num_written(self) -> int:
        """Tokens of the answer so far."""
        usage = (self.done or {}).get("usage") or {}
        return int(usage.get("completion") or len(self._exchange.tokens))

    async def _next_text(self, *, until_reading: bool = False) -> str:
        """The next text; "" when the answer is whole, or once its prompt is being read."""
        if self.done is not None:
            return ""
        async for frame in self._frames:
            kind = frame["type"]
            if kind == "gen.notice" and frame.get("code") == "context_trimmed":
                # A program must know that its conversation does not fit; people see a mark.
                raise OpenAIError.of_code("context_full")
            if kind == "gen.error":
                # Of a pool that does not answer nobody knows whether it still writes.
                self._is_running = frame["code"] == "pool_lost"
                raise _failure(frame)
            if kind in TERMINAL:
                self.done = frame
                self._is_running = False
                return ""
            if until_reading and kind == "gen.progress" and frame["phase"] == "prompt":
                return ""
            if kind == "gen.delta" and frame["text"]:
                text: str = frame["text"]
                return text
        raise OpenAIError.of_code("internal")


def _failure(frame: dict[str, Any]) -> OpenAIError:
    return OpenAIError.of_code(
        str(frame["code"]), text=str(frame["text"]), retry_after_s=frame.get("retry_after_s")
    )
