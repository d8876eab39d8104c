"""The life of a pool process: listen, load, answer, and end in order when told to or orphaned."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from ai_model.pool.errors import PoolStartError
from ai_model.pool.launch import Launch, Word, say
from ai_model.pool.pool import Pool
from ai_model.pool.server import PoolServer

logger = logging.getLogger(__name__)

DRAIN_S = 5.0
TAKEOVER_S = 5.0
ORPHAN_PATIENCE_S = 2.0
ENGINE_CLOSE_S = 2.0

EXIT_OK = 0
EXIT_CANNOT_START = 73
EXIT_BROKEN = 75


class Child:
    """One pool process. ``report`` takes lines for the supervisor; ``lifeline`` is a descriptor
    that reads end-of-file when the parent is gone."""

    def __init__(self, launch: Launch, *, lifeline: int, report: Callable[[bytes], None]) -> None:
        self._launch = launch
        self._lifeline = lifeline
        self._report = report
        self._has_answered = False
        self._exit_code = EXIT_OK
        self._is_orphan = False
        self._stopping = asyncio.Event()
        self._pool = Pool(launch.config, on_answered=self._note_answer, on_broken=self._note_broken)
        self._server = PoolServer(self._pool, launch.socket_path)

    async def run(self) -> int:
        """Serve until told to stop; returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._note_signal)
        threading.Thread(
            target=self._watch_parent, args=(loop,), name="corral-lifeline", daemon=True
        ).start()
        try:
            await self._server.start(takeover_s=TAKEOVER_S)
        except PoolStartError as error:
            logger.error("%s", error.text)
            self._report(say(Word.FAILED, error.text))
            return EXIT_CANNOT_START
        self._report(say(Word.LISTENING))
        await self._pool.start()
        await self._stopping.wait()
        if self._is_orphan or self._exit_code != EXIT_OK:
            # Clients must see the connection end, not the end of their answers: they hand their
            # requests to the next process.
            await self._server.close(flush_s=0.0)
            return self._exit_code
        await self._pool.drain(DRAIN_S)
        await self._server.close()
        await self._pool.close(ENGINE_CLOSE_S)
        return self._exit_code

    def _note_answer(self) -> None:
        if not self._has_answered:
            self._has_answered = True
            self._report(say(Word.ANSWERED))

    def _note_broken(self, reason: str) -> None:
        self._exit_code = EXIT_BROKEN
        self._report(say(Word.FAILED, reason))
        self._stopping.set()

    def _note_signal(self) -> None:
        if self._stopping.is_set():
            self._server.remove_socket()
            os._exit(1)
        self._stopping.set()

    def _watch_parent(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait on a thread of its own for the parent's end: a busy loop must not hide it."""
        while os.read(self._lifeline, 1024):
            pass
        loop.call_soon_threadsafe(self._note_orphaned)
        time.sleep(ORPHAN_PATIENCE_S)
        os._exit(EXIT_OK)

    def _note_orphaned(self) -> None:
        self._is_orphan = True
        self._stopping.set()
