"""The life of a pool process: listen, load, answer, and end in order when told to or orphaned."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from ai_model.engine.config import EngineConfig
from ai_model.engine.snapshot import EngineState
from ai_model.memory import MemorySensor
from ai_model.pool.engine_port import EngineFactory, EnginePort, make_engine
from ai_model.pool.errors import PoolStartError
from ai_model.pool.launch import EXIT_CANNOT_START, TAKEOVER_S, Launch, Pulse, Word, say
from ai_model.pool.listening_socket import ListeningSocket
from ai_model.pool.orders import Orders
from ai_model.pool.pool import MappedFiles, Pool
from ai_model.pool.server import PoolServer
from ai_model.pool.silence import Silence
from ai_model.sandbox.sandbox import NOT_CONFINED, Confinement

logger = logging.getLogger(__name__)

DRAIN_S = 3.0
ORPHAN_PATIENCE_S = 2.0
ENGINE_CLOSE_S = 2.0
MAX_BEAT_S = 1.0
BEATS_PER_LIMIT = 10
SUPERVISOR_LEAD_S = 3.0
"""So much longer than its supervisor the pool waits before it gives an answer of a silent engine
up: a replaced process goes on with the answer, an answer given up is lost."""

EXIT_OK = 0
EXIT_BROKEN = 75
EXIT_RESTART = 76
RESTART_FLUSH_S = 0.5
"""So long the readers of answers that have just ended may take the rest."""


class Child:
    """One pool process. ``report`` takes lines for the supervisor; ``lifeline`` is a descriptor
    that reads end-of-file when the parent is gone. ``listening`` is its socket, if that is there
    already, and ``confinement`` what the process has given up."""

    def __init__(
        self,
        launch: Launch,
        *,
        lifeline: int,
        report: Callable[[bytes], None],
        engine_factory: EngineFactory = make_engine,
        listening: ListeningSocket | None = None,
        confinement: Confinement = NOT_CONFINED,
    ) -> None:
        self._launch = launch
        self._engine_factory = engine_factory
        self._engine: EnginePort | None = None
        self._lifeline = lifeline
        self._report = report
        self._has_answered = False
        self._exit_code = EXIT_OK
        self._is_orphan = False
        self._stopping = asyncio.Event()
        stall_s = launch.config.stall_timeout_s
        self._beat_s = min(MAX_BEAT_S, stall_s / BEATS_PER_LIMIT)
        self._silence = Silence(max_gap_s=2 * self._beat_s)
        self._pool = Pool(
            replace(
                launch.orders.applied_to(launch.config), stall_timeout_s=stall_s + SUPERVISOR_LEAD_S
            ),
            engine_factory=self._make_engine,
            on_answered=self._note_answer,
            on_broken=self._note_broken,
            restarts=launch.restarts,
            orders=launch.orders,
            on_orders=self._note_orders,
            on_restart=self._note_restart,
            sensor=_memory_sensor,
            confinement=confinement,
        )
        self._server = PoolServer(self._pool, launch.socket_path, listening)

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
        beat = asyncio.create_task(self._beat())
        try:
            await self._serve()
        finally:
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat
        return self._exit_code

    async def _serve(self) -> None:
        """Answer until told to stop, then end in order."""
        await self._pool.start()
        await self._stopping.wait()
        if self._is_orphan or self._exit_code != EXIT_OK:
            # Clients must see the connection end, not the end of their answers: they hand their
            # requests to the next process.
            is_wanted = self._exit_code == EXIT_RESTART
            await self._server.close(flush_s=RESTART_FLUSH_S if is_wanted else 0.0)
            return
        await self._pool.finish(DRAIN_S)
        await self._server.close()
        await self._pool.close(ENGINE_CLOSE_S)

    async def _beat(self) -> None:
        """Tell the supervisor regularly that this loop lives, and whether the engine does.

        Both have to be told: the loop cannot tell that it hangs itself, and the supervisor cannot
        look into the engine.
        """
        while True:
            self._report(say(Word.ALIVE, self._pulse(time.monotonic()).to_sentence()))
            await asyncio.sleep(self._beat_s)

    def _pulse(self, now: float) -> Pulse:
        num_running = self._pool.num_running
        age_s = 0.0
        if self._engine is not None and num_running:
            age_s = self._engine.snapshot().heartbeat_age_s
        is_alive = age_s <= self._silence.since_last_look(now)
        return Pulse(self._silence.look(now, is_alive=is_alive), num_running)

    def _make_engine(
        self, config: EngineConfig, on_state: Callable[[EngineState], None]
    ) -> EnginePort:
        """Make the pool's engine and keep hold of it, for its heartbeat."""
        self._engine = self._engine_factory(config, on_state)
        return self._engine

    def _note_answer(self) -> None:
        if not self._has_answered:
            self._has_answered = True
            self._report(say(Word.ANSWERED))

    def _note_broken(self, reason: str) -> None:
        self._exit_code = EXIT_BROKEN
        self._report(say(Word.FAILED, reason))
        self._stopping.set()

    def _note_orders(self, orders: Orders) -> None:
        self._report(say(Word.ORDERS, orders.to_sentence()))

    def _note_restart(self) -> None:
        self._exit_code = EXIT_RESTART
        self._report(say(Word.RESTARTING))
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


def _memory_sensor(mapped_files: MappedFiles) -> MemorySensor:
    return MemorySensor(weight_files=mapped_files)
