"""A streamed answer as the lines a client of OpenAI's API reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any

from apps.api.openai.answer import Answer
from apps.api.openai.completion import Completion
from apps.api.openai.errors import OpenAIError

KEEP_ALIVE_S = 15.0
PING = b": ping\n\n"
DONE = b"data: [DONE]\n\n"


class AnswerStream:
    """What a response streams of an opened answer. Iterated once at most, in the loop that made it.

    Its instance is freed however this ends: read to the end, left in the middle, or never begun.
    """

    def __init__(self, answer: Answer, completion: Completion, *, includes_usage: bool) -> None:
        self._answer = answer
        self._completion = completion
        self._includes_usage = includes_usage
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Task[None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._lines()

    def close(self) -> None:
        """Free the instance. Django calls it behind the response. Thread-safe and idempotent."""
        # A loop that has ended holds no instance any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._begin_closing)

    def _begin_closing(self) -> None:
        if self._closing is None:
            self._closing = self._loop.create_task(self._answer.close())

    async def _lines(self) -> AsyncGenerator[bytes, None]:
        completion, answer = self._completion, self._answer
        is_first = True
        try:
            async for text in _with_pauses(answer.texts()):
                if text is None:
                    yield PING
                    continue
                tokens = answer.take_tokens()
                yield event_line(completion.piece(text, tokens, is_first=is_first))
                is_first = False
            assert answer.done is not None
            yield event_line(completion.end(answer.done))
            if self._includes_usage:
                yield event_line(completion.used(answer.done))
            # Who has read the end may ask again at once, and finds its place free.
            await answer.close()
            yield DONE
        except OpenAIError as error:
            # The status was sent long ago; what is left is to say it here.
            yield event_line(error.body())


def event_line(value: dict[str, Any]) -> bytes:
    """One event."""
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


async def _with_pauses(texts: AsyncGenerator[str, None]) -> AsyncIterator[str | None]:
    """Yield the texts, and None whenever none has come for a while."""
    coming: asyncio.Task[str] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(texts))
            await asyncio.wait({coming}, timeout=KEEP_ALIVE_S)
            if not coming.done():
                yield None
                continue
            finished, coming = coming, None
            try:
                yield finished.result()
            except StopAsyncIteration:
                return
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.wait({coming})
        await texts.aclose()
