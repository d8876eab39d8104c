"""The pool as a service: a supervisor in the foreground, ended in order by signals."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterator
from types import FrameType

from ai_model.pool.errors import PoolStartError
from ai_model.pool.notify_socket import NotifySocket
from ai_model.pool.supervisor import Supervisor, SupervisorState

STOP_TIMEOUT_S = 10.0
"""Running answers get half of it; the rest is for insisting. The systemd unit allows more."""
LOCK_PATIENCE_S = 5.0
"""How long an earlier service may take to end."""
POLL_S = 0.1
BEATS_PER_LIMIT = 3
EXIT_OK = 0
EXIT_AT_ONCE = 1
EXIT_FAILED = 1
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class PoolService:
    """Runs a supervisor until a signal ends it. Use it from the main thread of a process.

    The first SIGTERM, SIGINT or SIGHUP ends the pool in order, a second one ends it by force.
    """

    def __init__(
        self, supervisor: Supervisor, notify: NotifySocket, log: logging.Logger | None = None
    ) -> None:
        self._supervisor = supervisor
        self._notify = notify
        self._log = log or logging.getLogger(__name__)
        # A plain flag: an Event may not be set by a handler that has interrupted its wait().
        self._is_stopping = False
        self._is_ready = False
        self._said = ""
        self._beat_at = -1e9

    def run(self) -> int:
        """Serve until told to end; returns the exit code.

        Raises PoolStartError when another process serves the pool or nothing can be written there.
        """
        with self._signals():
            try:
                self._supervisor.start()
                self._wait_for_turn()
                while not self._is_stopping and self._supervisor.is_alive:
                    self._report()
                    time.sleep(POLL_S)
            finally:
                self._notify.stopping()
                self._supervisor.stop(STOP_TIMEOUT_S)
        if not self._is_stopping:
            self._log.error("%s", self._supervisor.reason or "The pool's supervisor ended.")
            return EXIT_FAILED
        self._log.info("The pool has ended.")
        return EXIT_OK

    def _wait_for_turn(self) -> None:
        """Return once this process supervises; raise PoolStartError if another one stays."""
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while self._supervisor.state in (SupervisorState.STOPPED, SupervisorState.STANDBY):
            if self._is_stopping or not self._supervisor.is_alive:
                return
            if time.monotonic() >= deadline:
                raise PoolStartError(
                    f"Another process runs this pool (it holds {self._supervisor.lock_path}): a "
                    "second runpool, or a web server without CORRAL_POOL_URL; stop it first, or "
                    "choose another place with --socket."
                )
            time.sleep(POLL_S)

    def _report(self) -> None:
        """Tell the service manager what has changed, and that this process lives."""
        supervisor = self._supervisor
        if supervisor.state is SupervisorState.RUNNING and not self._is_ready:
            self._is_ready = True
            self._notify.ready()
        sentence = supervisor.reason or f"The pool process {supervisor.pid} serves the pool."
        if sentence != self._said:
            self._said = sentence
            self._notify.say(sentence)
        now = time.monotonic()
        if now - self._beat_at >= self._notify.watchdog_s / BEATS_PER_LIMIT:
            self._beat_at = now
            self._notify.alive()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Take the signals that end us; put the earlier handlers back afterwards."""
        earlier = {number: signal.signal(number, self._take_signal) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _take_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_stopping:
            self._supervisor.abandon()
            os._exit(EXIT_AT_ONCE)
        self._is_stopping = True
