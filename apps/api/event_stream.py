"""The frames of one answer as server-sent events, for networks that let no socket through."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress

from channels.db import database_sync_to_async

from apps.ai_chat import services
from apps.ai_chat.audience import Member
from apps.ai_chat.entrance import Admission
from apps.ai_chat.error_frame import error_frame
from apps.ai_chat.errors import ChatError
from apps.ai_chat.frames import GenResume
from apps.ai_chat.generations import GenerationRegistry, get_registry
from apps.ai_chat.session import RECHECK_S, ChatSession
from apps.api.api_keys import is_good
from apps.api.event_queue import EventQueue, event_bytes
from apps.api.models import ApiKey

KEEP_ALIVE_S = 15.0
MAX_STREAM_S = 1800.0
"""Then the client asks again, and with that whether it may still read."""
RETRY_MS = 1000
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


def event_number(value: str) -> int:
    """The number in ``Last-Event-ID``; anything else begins at the beginning."""
    return int(value) if _NUMBER.fullmatch(value) else 0


class EventStream:
    """One reader of one answer. Belongs to one event loop and is iterated once.

    What a response streams: Django calls ``close`` behind it, in whatever way it ended.
    """

    def __init__(
        self,
        admission: Admission,
        generation: uuid.UUID,
        *,
        after: int,
        language: str = "",
        key: ApiKey | None = None,
        registry: GenerationRegistry | None = None,
    ) -> None:
        """``key`` is that of a program that reads: the stream ends soon after it is revoked."""
        self._generation = generation
        self._after = after
        self._registry = registry or get_registry()
        self._language = language
        self._key = key
        self._queue = EventQueue(str(generation), after=after)
        # A member needs no more of an outbox than ``put``.
        member = Member(self._queue, self._leave)  # type: ignore[arg-type]
        self._session = ChatSession(
            admission, self._queue.put, registry=self._registry, member=member, language=language
        )

    async def check(self) -> None:
        """Raise ``not_found`` if there is no such answer of this visitor."""
        visitor = self._session.visitor
        relay = self._registry.recall(self._generation)
        if relay is None or relay.answer.visitor_key != visitor.key:
            find = database_sync_to_async(services.find_answer)
            await find(visitor=visitor, generation=self._generation)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._events()

    def close(self) -> None:
        """Leave the audience. Thread-safe and idempotent."""
        # A generator that was left between two events would be closed some time later only.
        with suppress(RuntimeError):
            self._registry.loop.call_soon_threadsafe(self._session.close)

    async def _events(self) -> AsyncIterator[bytes]:
        """What came behind ``after``, and then what comes, up to the end of the answer."""
        self._registry.begin_recovery()
        # A first line at once: some proxies hold the head of an answer back until one comes.
        yield f"retry: {RETRY_MS}\n\n".encode()
        try:
            try:
                await self._session.handle(GenResume(gen=self._generation, after=self._after))
            except ChatError as error:
                yield event_bytes(error_frame(error, str(self._generation), self._language))
                return
            # No await since the last frame was put: what comes from now on is behind it.
            self._session.open()
            if self._queue.is_empty and self._has_finished():
                return
            async for event in self._rest():
                yield event
        finally:
            self._session.close()

    async def _rest(self) -> AsyncIterator[bytes]:
        ends_at = time.monotonic() + MAX_STREAM_S
        look_at = time.monotonic() + RECHECK_S
        while not self._queue.is_over and time.monotonic() < ends_at:
            if time.monotonic() >= look_at:
                look_at += RECHECK_S
                await self._look_at_rights()
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    event = await self._queue.get()
            except TimeoutError:
                event = b": still there\n\n"
            if event:
                yield event

    async def _look_at_rights(self) -> None:
        """Who may not read any more is told so, as the last event."""
        try:
            await self._session.check_rights()
            if self._key is not None and not await database_sync_to_async(is_good)(self._key):
                raise ChatError("unauthorised")
        except ChatError as error:
            self._leave(error.code)

    def _has_finished(self) -> bool:
        """True if the reader has all of an answer that is over."""
        relay = self._registry.recall(self._generation)
        return relay is None or relay.is_finished

    def _leave(self, code: str) -> None:
        """The audience wants this line gone: it comes back, or goes to the newest tab."""
        self._queue.end(error_frame(ChatError(code), str(self._generation), self._language))
