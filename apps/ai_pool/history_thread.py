"""Keeps the pool's history, and what changed it, in the database: once a minute, on a thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from django.db import DatabaseError
from django.utils import timezone

from ai_model.pool.client import PoolClient
from ai_model.pool.errors import PoolError
from ai_model.pool.pool_sample import PoolSample
from ai_model.pool.status import PoolStatus
from apps.ai_pool.dashboard.mark_record import record_marks
from apps.ai_pool.metrics import product_version
from apps.ai_pool.rollup import RECORD_EVERY_S, Recorder

log = logging.getLogger(__name__)

FETCH_TIMEOUT_S = 5.0


class HistoryThread:
    """Records until stop(). Several web processes may each have one; start and stop it once.

    ``socket_path`` says where the pool listens and may raise ValueError while settings are wrong.
    """

    def __init__(self, socket_path: Callable[[], Path], *, every_s: float = RECORD_EVERY_S) -> None:
        self._socket_path = socket_path
        self._every_s = every_s
        self._recorder = Recorder()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name="corral-history", daemon=True)

    def start(self) -> None:
        """Begin; the first record is made after ``every_s`` seconds."""
        self._thread.start()

    def stop(self, timeout_s: float = FETCH_TIMEOUT_S + 1.0) -> None:
        """End, waiting ``timeout_s`` seconds at most for a record that is being made."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _live(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self._record()
            except (PoolError, OSError, TimeoutError, ValueError) as error:
                # Nothing is lost: the next record asks for what was missed.
                log.debug("The pool's history could not be fetched: %s", error)
            except DatabaseError as error:
                log.warning("The pool's history could not be kept: %s", error)
            except Exception:
                log.exception("The pool's history could not be kept.")

    def _record(self) -> None:
        now = timezone.now()
        status, samples = asyncio.run(self._fetch(self._recorder.wanted_s(now)))
        if not self._stopping.is_set():
            record_marks(status, now, version=product_version())
            # Closes this thread's connection behind itself.
            self._recorder.record(samples, now)

    async def _fetch(self, age_s: float) -> tuple[PoolStatus, tuple[PoolSample, ...]]:
        client = PoolClient(self._socket_path())
        try:
            status = await client.status(timeout_s=FETCH_TIMEOUT_S)
            return status, await client.history(age_s, timeout_s=FETCH_TIMEOUT_S)
        finally:
            await client.close()
