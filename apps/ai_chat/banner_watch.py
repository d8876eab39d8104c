"""Shows the operator's banner to those whose page is open already: everybody else gets it in the
welcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from channels.db import database_sync_to_async

from apps.ai_chat.audience import Audience
from apps.ai_pool.actions.banner import current_banner

log = logging.getLogger(__name__)

LOOK_S = 5.0


class BannerWatch:
    """Looks at the banner while somebody is there. Belongs to one event loop."""

    def __init__(
        self,
        audience: Audience,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        *,
        look_s: float = LOOK_S,
    ) -> None:
        """``spawn`` runs a task that somebody ends."""
        self._audience = audience
        self._spawn = spawn
        self._look_s = look_s
        self._task: asyncio.Task[None] | None = None
        self._shown: str | None = None

    def begin(self) -> None:
        """Look from now on, as long as a line is open. Idempotent."""
        if self._task is None or self._task.done():
            # Whoever is there by then has it from the welcome.
            self._shown = None
            self._task = self._spawn(self._look_while_watched())

    async def _look_while_watched(self) -> None:
        while True:
            try:
                text = await banner_text()
                before, self._shown = self._shown, text
                if before not in (None, text):
                    for member in self._audience.members():
                        member.outbox.put({"type": "banner", "text": text})
            except Exception as error:
                log.warning("The banner could not be looked at (%s).", type(error).__name__)
            await asyncio.sleep(self._look_s)
            if not self._audience.members():
                return


async def banner_text() -> str:
    """Return the sentence that visitors see, or ""."""
    banner = await database_sync_to_async(current_banner)()
    return "" if banner is None else banner.text
