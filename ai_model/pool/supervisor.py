"""Keeps a pool process alive beside a web process, on a thread of its own."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import threading
import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import BadFrame, PoolStartError
from ai_model.pool.launch import Launch, Pulse, Word
from ai_model.pool.orders import NO_ORDERS, Orders
from ai_model.pool.pool_process import PoolProcess, describe_exit
from ai_model.pool.restart_policy import RestartPolicy
from ai_model.pool.restarts import Restarts
from ai_model.pool.silence import Silence
from ai_model.pool.socket_path import usable_socket_path
from ai_model.sandbox.sandbox import Sandbox

STANDBY_S = 0.5
LISTEN_TIMEOUT_S = 60.0
"""A process that has no socket after this time will never have one."""
POLL_S = 0.5
DYING_S = 5.0
MAX_CAUSE_CHARS = 300
MAX_FRUITLESS_WITH_LOAD = 2
"""Deaths without an answer in between after which the configured model and size are used again."""
MIN_SILENCE_S = 5.0
"""Loading a program from a slow disk may keep a process from saying its word for a while."""


class SupervisorState(StrEnum):
    """What the supervisor is doing."""

    STOPPED = "stopped"
    STANDBY = "standby"
    """Another process supervises the pool; this one takes over when that one ends."""
    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    """The pool process died and is started again in a moment."""
    OPEN = "open"
    """It died again and again; ``reason`` says what to do."""


class Supervisor:
    """Starts the pool process and starts it again when it dies.

    The holder of the lock file supervises; others stand by. Thread-safe. ``state`` and ``reason``
    (a sentence for the operator) may be read at any time.
    """

    def __init__(
        self,
        config: PoolConfig,
        socket_path: Path,
        lock_path: Path,
        log: logging.Logger | None = None,
        *,
        sandbox: Sandbox = Sandbox(),  # noqa: B008 - frozen
    ) -> None:
        self.config = config
        self.sandbox = sandbox
        self.socket_path = usable_socket_path(socket_path)
        self.lock_path = lock_path
        self.state = SupervisorState.STOPPED
        self.reason = ""
        self.pid: int | None = None
        """Process id of the pool process while there is one."""
        self.restarts = Restarts()
        """How often the pool process has died, and of what the last time."""
        self.orders = NO_ORDERS
        """What the operator told a pool process and the next one is told too. They end with this
        supervisor: what is to last is a setting."""
        self._log = log or logging.getLogger(__name__)
        self._policy = RestartPolicy()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_stopping = threading.Event()
        self._retry = threading.Event()
        self._wakeup = (-1, -1)
        self._drain_s = 10.0
        self._is_wanted_end = False

    @property
    def num_restarts(self) -> int:
        """How often the pool process has died."""
        return self.restarts.num

    @property
    def is_alive(self) -> bool:
        """Whether somebody supervises, or waits for a turn: false before start, after stop, and
        after a failure of the supervisor itself."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to supervise; returns at once. Idempotent.

        Raises PoolStartError when the lock file or the socket's directory cannot be written.
        """
        with self._guard:
            if self._thread is not None:
                return
            lock = self._open_lock()
            self._is_stopping.clear()
            self._wakeup = os.pipe()
            self._thread = threading.Thread(
                target=self._live, args=(lock,), name="corral-supervisor", daemon=True
            )
            self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the pool process (in order, then by force) and supervise no longer. Idempotent."""
        with self._guard:
            thread = self._thread
            if thread is None:
                return
            self._drain_s = timeout_s
            self._is_stopping.set()
            self._retry.set()
            os.write(self._wakeup[1], b"x")
            thread.join(timeout_s + DYING_S)
            if thread.is_alive():
                self._log.error("The pool's supervisor did not end within %.0f s.", timeout_s)
                return
            for descriptor in self._wakeup:
                os.close(descriptor)
            self._thread = None

    def abandon(self) -> None:
        """End the pool process by force; for a caller who ends its own process right afterwards.

        Waits for nothing, so it may be called from a signal handler.
        """
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._remove_socket()

    def retry(self) -> None:
        """Start the pool process now, also after giving up: the operator has removed the cause."""
        self._policy.reset()
        self._retry.set()

    def _open_lock(self) -> int:
        for directory in (self.lock_path.parent, self.socket_path.parent):
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise PoolStartError(
                    f"The directory {directory} cannot be made ({error.strerror}); set "
                    "CORRAL_VAR_DIR to one the server may write to."
                ) from None
            if not os.access(directory, os.W_OK | os.X_OK):
                raise PoolStartError(
                    f"The directory {directory} is not writable; set CORRAL_VAR_DIR to one that is."
                )
        try:
            return os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PoolStartError(
                f"The lock file {self.lock_path} cannot be opened ({error.strerror}); remove it or "
                "correct its owner."
            ) from None

    def _live(self, lock: int) -> None:
        try:
            if self._wait_for_lock(lock):
                while not self._is_stopping.is_set():
                    self._run_once()
                self._remove_socket()
        except Exception:
            self._log.exception("The pool's supervisor failed.")
            self._enter(SupervisorState.OPEN, "The pool's supervisor failed; see the log.")
        finally:
            os.close(lock)
        if self._is_stopping.is_set():
            self._enter(SupervisorState.STOPPED)

    def _wait_for_lock(self, lock: int) -> bool:
        """Wait until this process may supervise; False when stopped before."""
        while not self._is_stopping.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                self._enter(
                    SupervisorState.STANDBY,
                    f"Another process supervises the pool (it holds {self.lock_path}).",
                )
            self._is_stopping.wait(STANDBY_S)
        return False

    def _run_once(self) -> None:
        """Start the pool process, watch it to its end, and wait before the next start."""
        self._enter(SupervisorState.STARTING, "The pool process is starting.")
        self._remove_socket()
        started_at = time.monotonic()
        has_answered = False
        self._is_wanted_end = False
        self._check_model()
        try:
            launch = Launch(self.config, self.socket_path, self.restarts, self.orders, self.sandbox)
            process = PoolProcess(launch)
        except OSError as error:
            cause = f"it cannot be started ({error.strerror})"
        else:
            self.pid = process.pid
            has_answered, cause = self._watch(process)
            self.pid = None
        if self._is_stopping.is_set():
            return
        if self._is_wanted_end:
            self._log.info("The operator wants a new pool process.")
            self._policy.reset()
            return
        self.restarts = Restarts(self.restarts.num + 1, cause[:MAX_CAUSE_CHARS])
        lived_s = time.monotonic() - started_at
        delay_s = self._policy.record_death(lived_s=lived_s, has_answered=has_answered)
        if self._policy.num_fruitless >= MAX_FRUITLESS_WITH_LOAD and self.orders.changes_load:
            # What the operator changed may be what kills it, for example for want of memory.
            self.orders = self.orders.without_load()
            self._log.warning("The next pool process has the configured model and size again.")
        self._pause(delay_s, cause)

    def _watch(self, process: PoolProcess) -> tuple[bool, str]:
        """Return whether the process completed an answer, and why it ended."""
        has_answered, complaint, pulse = False, "", Pulse()
        silence = Silence(max_gap_s=4 * POLL_S)
        while True:
            said = process.listen(POLL_S, self._wakeup[0])
            if said is None:
                cause = describe_exit(process.reap(DYING_S))
                break
            if self._is_stopping.is_set():
                # The end is ours; keep a moment of the time for insisting.
                cause = describe_exit(process.end(max(0.5, self._drain_s - 1.0)))
                break
            for word, sentence in said:
                if word is Word.LISTENING:
                    self._enter(SupervisorState.RUNNING)
                    self._log.info("The pool process %d listens.", process.pid)
                elif word is Word.ANSWERED:
                    has_answered = True
                elif word is Word.ALIVE:
                    pulse = Pulse.from_sentence(sentence)
                elif word is Word.ORDERS:
                    self._take_orders(sentence)
                elif word is Word.RESTARTING:
                    self._is_wanted_end = True
                else:
                    complaint = sentence
            silence.look(time.monotonic(), is_alive=bool(said))
            age_s = time.monotonic() - process.started_at
            verdict = self._verdict(pulse, silent_s=silence.seconds, age_s=age_s)
            if verdict:
                # By force: a process in this state has nothing to say to its clients any more,
                # and they hand their answers to the next one when the connection ends.
                process.kill()
                return has_answered, verdict
        return has_answered, complaint.rstrip(".") or cause

    def _take_orders(self, sentence: str) -> None:
        try:
            self.orders = Orders.from_sentence(sentence)
        except BadFrame as error:
            self._log.warning("Orders for the next pool process are lost: %s.", error.text)

    def _check_model(self) -> None:
        """Leave a model that the operator switched to when its file is gone."""
        path = self.orders.model_path
        if path is not None and not path.is_file():
            self.orders = replace(self.orders, model_path=None)
            self._log.warning("%s is gone; the configured model is used again.", path)

    def _verdict(self, pulse: Pulse, *, silent_s: float, age_s: float) -> str:
        """Return why a process has to be replaced although it has not ended, or ""."""
        if self.state is SupervisorState.STARTING:
            is_late = age_s >= LISTEN_TIMEOUT_S
            return f"it had no socket after {age_s:.0f} s" if is_late else ""
        limit_s = self.config.stall_timeout_s
        if silent_s >= max(limit_s, MIN_SILENCE_S):
            return f"it showed no sign of life for {silent_s:.0f} s"
        if pulse.silent_s >= limit_s:
            return (
                f"its engine showed no sign of life for {pulse.silent_s:.0f} s with "
                f"{pulse.num_running} answers in hand"
            )
        return ""

    def _pause(self, delay_s: float, cause: str) -> None:
        if self._policy.is_open:
            reason = (
                f"The pool process died {self._policy.num_fruitless} times without completing an "
                f"answer: {cause}. See the log; often the cure is a smaller model or fewer "
                "instances. Then restart the server."
            )
            self._enter(SupervisorState.OPEN, reason)
            self._log.error("%s", reason)
        else:
            when = f"in {delay_s:.0f} s" if delay_s else "at once"
            reason = f"The pool process died: {cause}. It is started again {when}."
            self._enter(SupervisorState.BACKOFF, reason)
            self._log.warning("%s", reason)
        self._retry.wait(delay_s)
        if not self._is_stopping.is_set():
            self._retry.clear()

    def _remove_socket(self) -> None:
        """Remove what a killed process has left; whoever holds the lock owns the path."""
        with contextlib.suppress(OSError):
            os.unlink(self.socket_path)

    def _enter(self, state: SupervisorState, reason: str = "") -> None:
        self.reason = reason
        self.state = state
