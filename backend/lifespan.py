"""Start and orderly end of the web process, under Daphne (Twisted) and lifespan servers."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

from django.conf import settings

from apps.ai_chat.generations import close_current_registry
from apps.ai_pool.lifecycle import stop_pool
from apps.ai_pool.lookout import close_current_lookout
from apps.ai_pool.start_report import report_at_start
from backend.held_database import HeldDatabase
from backend.listen_backlog import raise_backlog

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 8.0


async def close_chat() -> None:
    """Say good-bye on every socket and keep the text written so far; never raises."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await close_current_lookout()
            await close_current_registry()
    except Exception:
        log.exception("The chat did not close in order.")


def follow_reactor() -> None:
    """Under Daphne: say what the system checks find once it runs, and run ``close_chat`` before it
    stops. Elsewhere: nothing."""
    if "twisted.internet.reactor" not in sys.modules:
        return
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred

    held = HeldDatabase(settings.DATABASES["default"])

    def begin() -> Any:
        return Deferred.fromFuture(asyncio.ensure_future(close_chat()))

    reactor.callWhenRunning(raise_backlog)  # type: ignore[attr-defined]
    reactor.callWhenRunning(report_at_start)  # type: ignore[attr-defined]
    reactor.callWhenRunning(held.hold)  # type: ignore[attr-defined]
    reactor.addSystemEventTrigger("before", "shutdown", begin)  # type: ignore[attr-defined]
    reactor.addSystemEventTrigger("after", "shutdown", held.release)  # type: ignore[attr-defined]


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer a lifespan server such as uvicorn."""
    held = HeldDatabase(settings.DATABASES["default"])
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            held.hold()
            report_at_start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await close_chat()
            await asyncio.to_thread(stop_pool)
            held.release()
            await send({"type": "lifespan.shutdown.complete"})
            return
