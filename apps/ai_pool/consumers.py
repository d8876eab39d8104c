"""How the pool is doing over a WebSocket at /ws/pool, while somebody watches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import QueryDict

from apps.ai_pool.limits.address_block import scope_block
from apps.ai_pool.lookout import get_lookout
from apps.ai_pool.pool_stream import PoolStream, every_of
from apps.ai_pool.sight import session_sees_everything
from apps.ai_pool.throttle import THROTTLE
from apps.ai_pool.watchers import Bye, TooManyWatchers, Watcher

log = logging.getLogger(__name__)

FORBIDDEN, BUSY, BROKEN = 4403, 4429, 4500
CLOSE_CODES = {Bye.SIGNED_OUT: 4401, Bye.CLOSING: 4503, Bye.SLOW: 4503, Bye.OVER: 1000}

Scope = dict[str, Any]


class PoolConsumer(AsyncWebsocketConsumer):
    """One open socket; it only talks and never listens.

    ``is_own_page`` tells whether the page that opened it is one of this site: of others a cookie
    does not count.
    """

    def __init__(self, *, is_own_page: Callable[[Scope], bool]) -> None:
        super().__init__()
        self._is_own_page = is_own_page
        self._task: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept first, refuse afterwards: a refusal before accepting looks like a broken line."""
        await self.accept()
        self._task = asyncio.create_task(self._tell_or_break())

    async def disconnect(self, code: int) -> None:
        """The line is gone."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is asked here."""

    async def _tell_or_break(self) -> None:
        try:
            await self._tell()
        except Exception:
            log.exception("A socket of the pool's status failed.")
            await self.close(BROKEN)

    async def _tell(self) -> None:
        session_key = self._session_key()
        is_staff = await session_sees_everything(session_key)
        block = scope_block(self.scope)
        if not is_staff and not settings.CORRAL_POOL_PUBLIC:
            await self.close(FORBIDDEN)
            return
        lookout = get_lookout()
        watcher = Watcher(session_key=session_key, is_staff=is_staff, address=block)
        if not is_staff and THROTTLE.take(block):
            await self.close(BUSY)
            return
        try:
            lookout.watchers.admit(watcher)
        except TooManyWatchers:
            await self.close(BUSY)
            return
        try:
            await self._tell_all(lookout, watcher)
        finally:
            lookout.watchers.part(watcher)

    async def _tell_all(self, lookout: Any, watcher: Watcher) -> None:
        line = self.scope.get("backlog")
        if line is not None:
            line.bound_the_system()
        query = QueryDict(self.scope.get("query_string", b""))
        stream = PoolStream(lookout, watcher, every=every_of(query.get("every", "")), backlog=line)
        async for _, data in stream.objects():
            try:
                await self.send(data.decode())
            except Exception as error:
                # The client has gone while we were writing; ``disconnect`` is on its way.
                log.info("A watcher could not be told (%s).", type(error).__name__)
                return
        await self.close(CLOSE_CODES[watcher.bye or Bye.OVER])

    def _session_key(self) -> str:
        session = self.scope.get("session")
        if session is None or not self._is_own_page(self.scope):
            return ""
        return session.session_key or ""
