"""A pool inside the current process, for tests and scripts: the same pool, socket and protocol."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from ai_model.pool.config import PoolConfig
from ai_model.pool.engine_port import EngineFactory, make_engine
from ai_model.pool.errors import PoolError, PoolStartError
from ai_model.pool.memory_watch import Sensor
from ai_model.pool.pool import MappedFiles, Pool
from ai_model.pool.server import PoolServer

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0


class PoolThread:
    """Runs a pool on a background thread, behind a socket in a private directory of its own.

    start() and close() may be called from any thread, each once; use it as a context manager to be
    sure of the second. Clients connect to ``socket_path`` with a PoolClient.
    """

    def __init__(
        self,
        config: PoolConfig,
        *,
        engine_factory: EngineFactory = make_engine,
        sensor: Callable[[MappedFiles], Sensor] | None = None,
    ) -> None:
        """``sensor`` makes what reads memory; without it the pool saves none by itself."""
        self._config = config
        self._sensor = sensor
        self._engine_factory = engine_factory
        self._directory = Path()
        self.socket_path = Path()
        self._thread = threading.Thread(target=self._live, name="corral-pool", daemon=True)
        self._is_started = threading.Event()
        self._failure: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event

    def start(self) -> Path:
        """Start the pool and return its socket path; the model loads meanwhile.

        Raises PoolStartError.
        """
        base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
        if not os.access(base, os.W_OK):
            base = tempfile.gettempdir()
        self._directory = Path(tempfile.mkdtemp(prefix="corral-", dir=base))
        self.socket_path = self._directory / "pool.sock"
        self._thread.start()
        if not self._is_started.wait(START_TIMEOUT_S):
            raise PoolStartError("The pool's thread did not start.")
        if self._failure is not None:
            self.close()
            raise PoolStartError(f"The pool cannot be started here: {self._failure}")
        return self.socket_path

    def close(self, timeout_s: float = 15.0) -> None:
        """End the pool, its running answers included, and its thread. Idempotent."""
        loop = self._loop
        if loop is not None and self._thread.is_alive():
            try:
                loop.call_soon_threadsafe(self._stopping.set)
            except RuntimeError:
                logger.debug("The pool's thread ended by itself.")
        if self._thread.is_alive():
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                logger.error("The pool's thread did not end within %.0f s.", timeout_s)
        if self._directory != Path():
            shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> PoolThread:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _live(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            logger.exception("The pool's thread failed.")
            self._failure = error
        finally:
            self._is_started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        pool = Pool(self._config, engine_factory=self._engine_factory, sensor=self._sensor)
        server = PoolServer(pool, self.socket_path)
        try:
            await server.start()
            await pool.start()
            self._is_started.set()
            await self._stopping.wait()
            await pool.finish(0.0)
        except PoolError as error:
            self._failure = error
        finally:
            await server.close()
            await pool.close()
