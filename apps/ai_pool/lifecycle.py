"""Starts the pool with the web server and stops it with the web server.

``backend/asgi.py`` calls ``start_pool``: it is imported once, in the process that serves, and never
by a manage.py command.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from ai_model.catalog import CATALOG, UnknownModel
from ai_model.checksums import ChecksumMismatch
from ai_model.model_file import BadModelFile
from ai_model.pool.errors import PoolStartError
from ai_model.pool.status import PoolState
from ai_model.pool.supervisor import Supervisor, SupervisorState
from apps.ai_pool import conf
from apps.ai_pool.history_thread import HistoryThread
from apps.ai_pool.pool_sandbox import pool_sandbox
from apps.ai_pool.socket_place import complaint_about

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 9.0
"""More than a child needs at most: 3 s for running answers, then 5 s to end them and the engine."""
RESTART_HINT = "Then restart the server."


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nobody answers at the pool's socket, as far as this process knows."""

    state: PoolState
    reason: str


class _Placement(Protocol):
    """The pool as this process holds it: a supervised child or a thread."""

    socket_path: Path

    def close(self) -> None:
        """End it; waits a few seconds at most."""

    def trouble(self) -> Trouble | None:
        """Say what keeps it from listening, when that is known."""

    def retry(self) -> bool:
        """Start it again at once, also after giving up; False when that is not its business."""


class _ChildProcess:
    """The pool in a process of its own, watched by a supervisor."""

    def __init__(self, plan: conf.PoolPlan) -> None:
        self._supervisor = Supervisor(
            plan.config, conf.socket_path(), conf.lock_path(), log, sandbox=pool_sandbox()
        )
        self.socket_path = self._supervisor.socket_path
        self._supervisor.start()

    def close(self) -> None:
        self._supervisor.stop(STOP_TIMEOUT_S)

    def trouble(self) -> Trouble | None:
        states = {
            SupervisorState.STARTING: PoolState.LOADING,
            SupervisorState.BACKOFF: PoolState.DOWN,
            SupervisorState.OPEN: PoolState.FAILED,
        }
        state = states.get(self._supervisor.state)
        return None if state is None else Trouble(state, self._supervisor.reason)

    def retry(self) -> bool:
        if self._supervisor.state not in (SupervisorState.BACKOFF, SupervisorState.OPEN):
            return False
        self._supervisor.retry()
        return True


class _Thread:
    """The pool in a thread of this process, for tests and scripts."""

    def __init__(self, plan: conf.PoolPlan) -> None:
        # Brings in llama.cpp, which no web process needs otherwise.
        from ai_model.memory import MemorySensor
        from ai_model.pool.thread import PoolThread

        self._thread = PoolThread(
            plan.config, sensor=lambda files: MemorySensor(weight_files=files)
        )
        self.socket_path = self._thread.start()

    def close(self) -> None:
        self._thread.close(STOP_TIMEOUT_S)

    def trouble(self) -> Trouble | None:
        return None

    def retry(self) -> bool:
        return False


_lock = threading.Lock()
_history: HistoryThread | None = None
_placement: _Placement | None = None
_failure = ""
_has_hooks = False


def start_pool() -> None:
    """Start the pool of this web process and return at once; loading goes on elsewhere.

    Idempotent and thread-safe. Never raises: without a usable model or with impossible settings the
    site runs, one sentence goes to the log, and ``failure`` tells it to status and health.
    """
    global _placement, _failure
    if not settings.CORRAL_AUTOSTART:
        log.info("CORRAL_AUTOSTART is off, so no pool is started here.")
        return
    if conf.is_pool_external():
        _use_external_pool()
        return
    with _lock:
        if _placement is not None:
            return
        try:
            plan = checked_plan()
            _placement = _ChildProcess(plan) if _is_process_mode() else _Thread(plan)
        except (BadModelFile, UnknownModel, ChecksumMismatch, conf.ImpossibleSetting) as error:
            _failure = f"{error} {RESTART_HINT}"
        except PoolStartError as error:
            _failure = str(error)
        except OSError as error:
            _failure = f"The pool could not be started: {error}."
        else:
            _failure = ""
            log.info("%s", plan.sentence)
            if plan.info.is_demo:
                log.info("That is the small demo model; `make model` fetches the real TinyLlama.")
            _keep_history()
            _register_hooks()
            return
    log.error("The assistant has no model: %s", _failure)


def checked_plan() -> conf.PoolPlan:
    """Return what a start of the pool would do, its model compared with the catalog's checksum.

    That takes seconds for a new file and is remembered. Raises BadModelFile, UnknownModel,
    ChecksumMismatch and conf.ImpossibleSetting, each with one sentence for the operator, and
    OSError.
    """
    plan = conf.pool_plan()
    for entry in CATALOG:
        if plan.chosen.path.name == entry.filename:
            conf.model_store().checksums.verify(plan.chosen.path, entry.sha256)
    return plan


def stop_pool() -> None:
    """End the pool of this process, waiting a few seconds at most. Idempotent; thread-safe."""
    global _placement, _history
    with _lock:
        placement, _placement = _placement, None
        history, _history = _history, None
    if history is not None:
        history.stop()
    if placement is None:
        return
    try:
        placement.close()
    except Exception:
        log.exception("The pool did not end in order.")


def _keep_history() -> None:
    """Begin to write the pool's history into the database."""
    global _history
    if _history is None:
        _history = HistoryThread(socket_path)
        _history.start()


def failure() -> str:
    """Return why this process could not start its pool, in one sentence, or ""."""
    return _failure


def trouble() -> Trouble | None:
    """Return what keeps the pool from answering, as far as this process knows it."""
    if _failure:
        return Trouble(PoolState.FAILED, _failure)
    placement = _placement
    if placement is not None:
        return placement.trouble()
    return _external_trouble() if conf.is_pool_external() else None


def retry() -> bool:
    """Start the pool process again, also after it was given up; False when it is not ours to."""
    placement = _placement
    return placement is not None and placement.retry()


def socket_path() -> Path:
    """Return where the pool listens, whoever started it. Raises conf.ImpossibleSetting."""
    placement = _placement
    return conf.socket_path() if placement is None else placement.socket_path


def is_started() -> bool:
    """Return whether this process has started a pool and not stopped it."""
    return _placement is not None


def _is_process_mode() -> bool:
    return bool(settings.CORRAL_POOL_MODE != "thread")


def _use_external_pool() -> None:
    """Start nothing: CORRAL_POOL_URL says that the pool is a service."""
    global _failure
    try:
        path = conf.socket_path()
    except conf.ImpossibleSetting as error:
        _failure = f"{error} {RESTART_HINT}"
        log.error("The assistant has no pool: %s", _failure)
        return
    _failure = ""
    log.info("CORRAL_POOL_URL is set, so the pool at %s is used and none is started here.", path)
    if (complaint := complaint_about(path)) is not None:
        log.warning("That pool cannot be reached yet: %s", complaint)
    with _lock:
        _keep_history()
        _register_hooks()


def _external_trouble() -> Trouble | None:
    """Return why a pool that somebody else runs does not answer, if that can be seen from here."""
    try:
        path = conf.socket_path()
    except conf.ImpossibleSetting as error:
        return Trouble(PoolState.FAILED, str(error))
    complaint = complaint_about(path)
    if complaint is not None:
        return Trouble(PoolState.DOWN, str(complaint))
    if path.exists():
        return None
    return Trouble(
        PoolState.DOWN,
        f"No pool serves {path}; start it with `manage.py runpool` (as a service: `systemctl start "
        "corral-pool`).",
    )


def _register_hooks() -> None:
    """Stop the pool when the server ends, whichever server it is."""
    global _has_hooks
    if _has_hooks:
        return
    _has_hooks = True
    # The child ends by itself when this process is gone; this is only the last belt.
    atexit.register(stop_pool)
    if "twisted.internet.reactor" in sys.modules:
        from twisted.internet import reactor

        # "during" comes after "before", in which the chat says good-bye and keeps its texts.
        reactor.addSystemEventTrigger("during", "shutdown", stop_pool)  # type: ignore[attr-defined]
