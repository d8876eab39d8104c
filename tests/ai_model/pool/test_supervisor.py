"""Real pool processes, without a model: they start, die, come back and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ai_model.pool import supervisor as supervisor_module
from ai_model.pool.client import PoolClient
from ai_model.pool.errors import NoModel, PoolStartError
from ai_model.pool.launch import Launch
from ai_model.pool.pool_process import PoolProcess
from ai_model.pool.status import PoolState
from ai_model.pool.supervisor import Supervisor, SupervisorState
from tests.ai_model.pool.builders import make_config, make_request, until_sync
from tests.ai_model.pool.processes import directory, is_running, status_of

__all__ = ["directory"]


@pytest.fixture
def supervisor(directory: Path) -> Iterator[Supervisor]:
    """A supervisor of a pool whose model file is missing; not started."""
    supervisor = make_supervisor(directory)
    yield supervisor
    supervisor.stop()
    assert supervisor.state in (SupervisorState.STOPPED, SupervisorState.OPEN)
    assert not supervisor.socket_path.exists()


def make_supervisor(directory: Path) -> Supervisor:
    """Return a supervisor in ``directory``."""
    return Supervisor(make_config(), directory / "pool.sock", directory / "pool.lock")


def test_a_missing_model_is_told_and_the_process_ends_in_order(supervisor: Supervisor) -> None:
    """The process lives on to say why it cannot answer."""
    supervisor.start()
    supervisor.start()
    until_sync(lambda: is_running(supervisor))
    until_sync(lambda: status_of(supervisor.socket_path).state is PoolState.FAILED)
    status = status_of(supervisor.socket_path)
    assert status.reason and status.pid == supervisor.pid
    assert stat.S_IMODE(supervisor.socket_path.stat().st_mode) == 0o600

    async def ask() -> None:
        client = PoolClient(supervisor.socket_path)
        with pytest.raises(NoModel):
            await client.submit(make_request())
        await client.close()

    asyncio.run(ask())
    pid = status.pid
    child = psutil.Process(pid)
    assert child.ppid() == os.getpid()
    own = int(Path("/proc/self/oom_score_adj").read_text())
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == min(1000, own + 500)
    supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert supervisor.num_restarts == 0


def test_a_killed_process_is_started_again(supervisor: Supervisor) -> None:
    """At once the first time, whatever it left behind."""
    supervisor.start()
    until_sync(lambda: is_running(supervisor))
    first = supervisor.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until_sync(lambda: is_running(supervisor) and supervisor.pid not in (None, first))
    assert status_of(supervisor.socket_path).pid == supervisor.pid != first
    assert supervisor.num_restarts == 1
    assert not psutil.pid_exists(first), "the dead process was not reaped"


def test_a_process_that_cannot_live_is_given_up(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a sentence; the operator can have it tried again."""
    monkeypatch.setattr("ai_model.pool.restart_policy.DELAYS_S", (0.0,))
    monkeypatch.setattr("ai_model.pool.pool_process.sys.executable", "/bin/false")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(supervisor.socket_path))
    supervisor.start()
    until_sync(lambda: supervisor.state is SupervisorState.OPEN)
    assert "died 6 times" in supervisor.reason and "exit code 1" in supervisor.reason
    assert not supervisor.socket_path.exists()
    monkeypatch.undo()
    supervisor.retry()
    until_sync(lambda: is_running(supervisor))


def test_a_program_that_is_not_there(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is a cause like any other."""
    monkeypatch.setattr("ai_model.pool.pool_process.sys.executable", "/nowhere/python")
    supervisor.start()
    until_sync(lambda: "cannot be started" in supervisor.reason)


def test_a_process_that_never_listens_is_ended(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    """It counts as dead."""
    sleeper = directory / "python"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr("ai_model.pool.pool_process.sys.executable", str(sleeper))
    monkeypatch.setattr(supervisor_module, "LISTEN_TIMEOUT_S", 0.05)
    monkeypatch.setattr(supervisor_module, "POLL_S", 0.02)
    supervisor.start()
    until_sync(lambda: supervisor.num_restarts >= 1)


def speaking_program(directory: Path, *words: str) -> str:
    """Return a program that says these words and then nothing more."""
    program = directory / "python"
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{w}'\n" for w in words) + "exec sleep 60\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("listening",), "it showed no sign of life for 0 s"),
        (("listening", "alive 3.4 2"), "its engine showed no sign of life for 3 s with 2 answers"),
    ],
)
def test_a_silent_process_or_engine_is_replaced_and_counted(
    directory: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], cause: str
) -> None:
    """Beyond the stall limit; the cause is kept."""
    program = speaking_program(directory, *words)
    monkeypatch.setattr("ai_model.pool.pool_process.sys.executable", program)
    monkeypatch.setattr(supervisor_module, "MIN_SILENCE_S", 0.0)
    monkeypatch.setattr(supervisor_module, "POLL_S", 0.05)
    limit_s = 0.3 if len(words) == 1 else 3.0
    config = make_config(stall_timeout_s=limit_s)
    supervisor = Supervisor(config, directory / "pool.sock", directory / "pool.lock")
    supervisor.start()
    until_sync(lambda: supervisor.num_restarts >= 1)
    assert cause in supervisor.restarts.last_cause
    supervisor.stop()


@pytest.mark.parametrize("word", ["alive 2.9 2", "alive 0.0 0", "alive nonsense", "alive"])
def test_a_process_with_a_pulse_is_left_alone(
    directory: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """Below the limit, and whatever else it says."""
    program = speaking_program(directory, "listening", *[word] * 3)
    monkeypatch.setattr("ai_model.pool.pool_process.sys.executable", program)
    monkeypatch.setattr(supervisor_module, "POLL_S", 0.05)
    config = make_config(stall_timeout_s=3.0)
    supervisor = Supervisor(config, directory / "pool.sock", directory / "pool.lock")
    supervisor.start()
    until_sync(lambda: is_running(supervisor))
    time.sleep(0.3)
    assert is_running(supervisor) and supervisor.num_restarts == 0
    supervisor.stop()


def test_a_stopped_process_is_replaced(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one under SIGSTOP; the next one knows what happened to it."""
    monkeypatch.setattr(supervisor_module, "MIN_SILENCE_S", 1.5)
    config = make_config(stall_timeout_s=1.5)
    supervisor = Supervisor(config, directory / "pool.sock", directory / "pool.lock")
    supervisor.start()
    until_sync(lambda: is_running(supervisor), 30)
    first = supervisor.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    until_sync(lambda: is_running(supervisor) and supervisor.pid not in (None, first), 30)
    assert not psutil.pid_exists(first)
    assert supervisor.restarts.num == 1 and "sign of life" in supervisor.restarts.last_cause
    supervisor.stop()


def test_a_next_process_is_told_of_the_last_death(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it can say so in its status, whoever asks."""
    launches: list[Launch] = []

    def refuse(launch: Launch) -> PoolProcess:
        launches.append(launch)
        raise OSError(12, "x" * 10_000)

    monkeypatch.setattr(supervisor_module, "PoolProcess", refuse)
    supervisor.start()
    until_sync(lambda: len(launches) == 2)
    assert [launch.restarts.num for launch in launches] == [0, 1]
    cause = launches[1].restarts.last_cause
    assert cause.startswith("it cannot be started") and len(cause) <= 300
    assert Launch.from_line(launches[1].to_line()) == launches[1]


def test_abandoning_ends_the_process_by_force(supervisor: Supervisor) -> None:
    """Also one that is stopped."""
    supervisor.abandon()
    supervisor.start()
    until_sync(lambda: is_running(supervisor))
    assert supervisor.is_alive and supervisor.pid is not None
    child = psutil.Process(supervisor.pid)
    child.suspend()
    supervisor.abandon()
    until_sync(lambda: has_ended(child))
    supervisor.stop()
    assert not supervisor.is_alive


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_process_that_ignores_sigterm_is_killed(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    """After the time that stop() was given."""
    deaf = directory / "python"
    deaf.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n")
    deaf.chmod(0o755)
    monkeypatch.setattr("ai_model.pool.pool_process.sys.executable", str(deaf))
    supervisor.start()
    until_sync(lambda: supervisor.pid is not None)
    pid = supervisor.pid
    time.sleep(0.1)
    supervisor.stop(timeout_s=1.2)
    assert pid is not None and not psutil.pid_exists(pid)


def test_the_second_supervisor_stands_by_and_takes_over(
    supervisor: Supervisor, directory: Path
) -> None:
    """One pool for all web processes."""
    supervisor.start()
    until_sync(lambda: is_running(supervisor))
    second = make_supervisor(directory)
    second.start()
    until_sync(lambda: second.state is SupervisorState.STANDBY)
    assert "pool.lock" in second.reason and second.pid is None
    supervisor.stop()
    until_sync(lambda: is_running(second))
    assert status_of(second.socket_path).pid == second.pid
    second.stop()
    assert second.state is SupervisorState.STOPPED


def test_stopping_while_standing_by_or_before_starting(directory: Path) -> None:
    """Is quick and leaves nothing."""
    first, second = make_supervisor(directory), make_supervisor(directory)
    first.start()
    until_sync(lambda: is_running(first))
    second.start()
    until_sync(lambda: second.state is SupervisorState.STANDBY)
    second.stop()
    assert second.state is SupervisorState.STOPPED
    assert is_running(first), "the one that stands by must not touch the other's pool"
    assert first.socket_path.exists()
    first.stop()
    make_supervisor(directory).stop()


def test_a_directory_that_cannot_be_written(directory: Path) -> None:
    """Is a sentence that says what to set."""
    (directory / "file").write_text("")
    supervisor = Supervisor(
        make_config(), directory / "pool.sock", directory / "file" / "pool.lock"
    )
    with pytest.raises(PoolStartError, match="CORRAL_VAR_DIR"):
        supervisor.start()
    (directory / "pool.lock").mkdir()
    with pytest.raises(PoolStartError, match="lock file"):
        make_supervisor(directory).start()


def test_a_socket_left_by_a_killed_server(supervisor: Supervisor) -> None:
    """Is replaced."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(supervisor.socket_path))
    supervisor.start()
    until_sync(lambda: is_running(supervisor))
    assert status_of(supervisor.socket_path).pid == supervisor.pid
