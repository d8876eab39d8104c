"""The pool as a service: signals end it in order, and its manager hears how it is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ai_model.pool import service as service_module
from ai_model.pool.errors import PoolStartError
from ai_model.pool.notify_socket import NotifySocket
from ai_model.pool.pool_process import ROOT
from ai_model.pool.service import PoolService
from ai_model.pool.supervisor import Supervisor, SupervisorState
from tests.ai_model.pool.builders import make_config, until_sync


class Manager(NotifySocket):
    """Writes down what it is told."""

    def __init__(self, watchdog_s: float = 0.0) -> None:
        self.watchdog_s = watchdog_s
        self.heard: list[str] = []

    def _send(self, message: str) -> None:
        self.heard.append(message)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short name."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def supervisor(directory: Path) -> Iterator[Supervisor]:
    """A supervisor of a pool whose model file is missing; not started."""
    supervisor = Supervisor(make_config(), directory / "pool.sock", directory / "pool.lock")
    yield supervisor
    supervisor.stop()


@contextlib.contextmanager
def signal_when(condition: Callable[[], object], number: int) -> Iterator[None]:
    """Send this process a signal as soon as a condition holds, from a thread."""

    def wait() -> None:
        with contextlib.suppress(AssertionError):
            until_sync(condition, 20)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=wait)
    thread.start()
    yield
    thread.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(supervisor: Supervisor, number: int) -> None:
    """With code 0, the manager informed, nothing left, and the old handlers back."""
    before = signal.getsignal(number)
    manager = Manager(watchdog_s=0.5)

    def is_ready_and_watched() -> bool:
        return "READY=1" in manager.heard and manager.heard.count("WATCHDOG=1") > 2

    with signal_when(is_ready_and_watched, number):
        assert PoolService(supervisor, manager).run() == 0
    assert signal.getsignal(number) is before
    assert supervisor.state is SupervisorState.STOPPED and supervisor.pid is None
    assert not supervisor.socket_path.exists()
    heard = [word for word in manager.heard if word != "WATCHDOG=1"]
    assert (heard.count("READY=1"), heard[-1]) == (1, "STOPPING=1")
    assert any("serves the pool" in word for word in heard)


def test_the_manager_hears_of_a_death(supervisor: Supervisor) -> None:
    """And the service goes on."""
    manager = Manager()

    def has_restarted() -> bool:
        if "READY=1" in manager.heard and supervisor.num_restarts == 0 and supervisor.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor.pid, signal.SIGKILL)
            time.sleep(0.2)
        is_back = supervisor.state is SupervisorState.RUNNING and supervisor.num_restarts > 0
        return is_back and "serves" in manager.heard[-1]

    with signal_when(has_restarted, signal.SIGTERM):
        assert PoolService(supervisor, manager).run() == 0
    assert supervisor.restarts.num >= 1 and "SIGKILL" in supervisor.restarts.last_cause
    assert manager.heard.count("READY=1") == 1


def test_a_place_that_is_taken(
    supervisor: Supervisor, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is refused with a sentence, and the other pool is left alone."""
    monkeypatch.setattr(service_module, "LOCK_PATIENCE_S", 0.2)
    supervisor.start()
    until_sync(lambda: supervisor.state is SupervisorState.RUNNING)
    second = Supervisor(make_config(), directory / "pool.sock", directory / "pool.lock")
    with pytest.raises(PoolStartError, match="pool.lock"):
        PoolService(second, Manager()).run()
    assert second.state is SupervisorState.STOPPED
    assert supervisor.state is SupervisorState.RUNNING and supervisor.socket_path.exists()


def test_a_supervisor_that_fails_ends_the_service(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with 0: whoever watches it must start it again."""

    def fail() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(supervisor, "_run_once", fail)
    assert PoolService(supervisor, Manager()).run() == 1


def test_a_second_signal_ends_it_at_once(directory: Path) -> None:
    """Also when the pool process does not react; nothing stays behind."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ai_model.pool.config import PoolConfig\n"
        "from ai_model.pool.notify_socket import NotifySocket\n"
        "from ai_model.pool.service import PoolService\n"
        "from ai_model.pool.supervisor import Supervisor\n"
        f"d = Path({str(directory)!r})\n"
        "s = Supervisor(PoolConfig(model_path=d / 'none'), d / 'pool.sock', d / 'pool.lock')\n"
        "sys.exit(PoolService(s, NotifySocket({})).run())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as parent:
        until_sync((directory / "pool.sock").exists, 20)
        (child,) = psutil.Process(parent.pid).children()
        try:
            child.suspend()
            parent.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert parent.poll() is None, "it waits for its pool process"
            before = time.monotonic()
            parent.send_signal(signal.SIGTERM)
            assert parent.wait(5) == 1
            assert time.monotonic() - before < 2
            child.wait(5)
        finally:
            parent.kill()
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    assert not (directory / "pool.sock").exists()
