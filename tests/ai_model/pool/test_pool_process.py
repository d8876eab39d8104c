"""A pool process itself: what ends it, what it may do, what it is given, and its end in words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ai_model.pool.launch import Launch
from ai_model.pool.pool_process import ROOT, PoolProcess, clean_environment, describe_exit
from ai_model.pool.supervisor import Supervisor
from ai_model.sandbox.sandbox import Sandbox, SandboxMode
from tests.ai_model.pool.builders import make_config, until_sync
from tests.ai_model.pool.processes import directory, is_running, status_of

__all__ = ["directory"]


def test_the_child_ends_with_its_parent(directory: Path) -> None:
    """Even if the parent was killed and could do nothing about it."""
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from ai_model.pool.config import PoolConfig\n"
        "from ai_model.pool.supervisor import Supervisor\n"
        f"d = Path({str(directory)!r})\n"
        "s = Supervisor(PoolConfig(model_path=d / 'none'), d / 'pool.sock', d / 'pool.lock')\n"
        "s.start()\n"
        "while s.state != 'running': time.sleep(0.01)\n"
        "print(s.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait(10)
    child.wait(5)
    assert not (directory / "pool.sock").exists()


def test_sigterm_and_a_second_one(directory: Path) -> None:
    """The first ends in order with code 0 and no socket."""
    process, (reading, writing) = start_process(directory), os.pipe()
    try:
        until_sync(lambda: process.listen(0.1, reading))
        os.kill(process.pid, signal.SIGTERM)
        assert process.reap(5) == 0
        assert not (directory / "pool.sock").exists()
    finally:
        os.close(reading)
        os.close(writing)


def start_process(directory: Path) -> PoolProcess:
    """Start a pool process without a supervisor."""
    return PoolProcess(Launch(make_config(), directory / "pool.sock"))


@pytest.mark.parametrize("mode", [SandboxMode.AUTO, SandboxMode.OFF])
def test_the_process_is_in_a_sandbox(directory: Path, mode: SandboxMode) -> None:
    """It tells what it has given up; with "off" it has given up nothing."""
    sandbox = Sandbox(mode=mode, private=(directory,))
    supervisor = Supervisor(
        make_config(), directory / "pool.sock", directory / "pool.lock", sandbox=sandbox
    )
    supervisor.start()
    until_sync(lambda: is_running(supervisor))
    status = status_of(supervisor.socket_path)
    kernel = Path(f"/proc/{supervisor.pid}/status").read_text()
    supervisor.stop()
    assert not supervisor.socket_path.exists(), "whoever started it removes its socket"
    is_confined = mode is SandboxMode.AUTO
    assert ("network" in status.sandbox.split(", ")) is is_confined
    assert ("NoNewPrivs:\t1" in kernel) is is_confined
    assert ("Seccomp:\t2" in kernel) is is_confined


def test_a_sandbox_that_cannot_be_had(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is the reason for which there is no pool, when it is required."""
    program = directory / "python"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "from ai_model.sandbox import kernel\n"
        "kernel.machine = lambda: ''\n"
        "from ai_model.pool.__main__ import main\n"
        "sys.exit(main())\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr("ai_model.pool.pool_process.sys.executable", str(program))
    monkeypatch.setattr("ai_model.pool.restart_policy.DELAYS_S", (0.0,))
    supervisor = Supervisor(
        make_config(),
        directory / "pool.sock",
        directory / "pool.lock",
        sandbox=Sandbox(mode=SandboxMode.REQUIRED),
    )
    supervisor.start()
    until_sync(lambda: supervisor.num_restarts >= 1)
    assert "CORRAL_POOL_SANDBOX is required" in supervisor.restarts.last_cause
    supervisor.stop()


def test_the_environment_holds_no_secrets() -> None:
    """An allow-list, not a deny-list."""
    environment = clean_environment(
        {
            "PATH": "/bin",
            "SECRET_KEY": "s",
            "DATABASE_URL": "d",
            "CORRAL_MODEL_PATH": "m",
            "AWS_TOKEN": "t",
            "LC_ALL": "C",
            "PYTHONPATH": "/extra",
        }
    )
    assert environment == {"PATH": "/bin", "LC_ALL": "C", "PYTHONPATH": f"{ROOT}:/extra"}


def test_exits_in_words() -> None:
    """For the operator."""
    assert describe_exit(3) == "it ended with exit code 3"
    assert "SIGKILL" in describe_exit(-9) and "memory" in describe_exit(-9)
    assert "SIGSEGV" in describe_exit(-11)


def test_started_by_hand() -> None:
    """Says who starts it, without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "ai_model.pool"],
        cwd=ROOT,
        input="hello\n",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 64
    assert "started by the web server" in done.stderr and "Traceback" not in done.stderr
