"""The installer: quick when all is there, whole again after an interruption."""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.make import environment
from deploy.make.environment import InstallError, Target, is_current, only_one, run, stamp_path
from deploy.make.pip_output import PipOutput, Progress

# Making an environment takes seconds, on a busy machine many.
pytestmark = pytest.mark.timeout(240)
TARGET = Target(".venv", ("requirements.txt",), ("json",))


@pytest.fixture(scope="session")
def whole_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip, to copy: making one takes seconds."""
    venv = tmp_path_factory.mktemp("whole") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=200)
    return venv


@pytest.fixture
def project(tmp_path: Path, whole_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an environment into which nothing was installed yet."""
    shutil.copytree(whole_environment, tmp_path / ".venv", symlinks=True)
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setitem(environment.TARGETS, "web", TARGET)
    return tmp_path


@pytest.fixture
def pip_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for pip; the list tells how often it ran."""
    runs: list[str] = []
    monkeypatch.setattr(environment, "_pip_install", lambda *args: runs.append("pip"))
    return runs


def quiet() -> Progress:
    return Progress(io.StringIO())


def feed() -> PipOutput:
    return PipOutput(quiet(), num_jobs=1)


def test_the_second_time_does_nothing(project: Path, pip_runs: list[str]) -> None:
    environment.install("web", quiet())
    assert is_current(TARGET)
    environment.install("web", quiet())
    assert pip_runs == ["pip"]


def test_changed_requirements_install_again(project: Path, pip_runs: list[str]) -> None:
    environment.install("web", quiet())
    (project / "requirements.txt").write_text("# something new\n")
    assert not is_current(TARGET)
    environment.install("web", quiet())
    assert pip_runs == ["pip", "pip"]
    assert is_current(TARGET)


def test_an_interruption_leaves_no_stamp(
    project: Path, pip_runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(environment, "_pip_install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.install("web", quiet())
    assert not is_current(TARGET)
    environment.install("web", quiet())
    assert is_current(TARGET)


@pytest.mark.parametrize("damage", ["no python", "no pip", "empty directory"])
def test_half_an_environment_is_made_anew(project: Path, pip_runs: list[str], damage: str) -> None:
    environment.install("web", quiet())
    venv = project / ".venv"
    if damage == "no python":
        (venv / "bin/python").unlink()
    elif damage == "no pip":
        (package,) = venv.glob("lib/python3*/site-packages/pip")
        package.rename(venv / "pip-gone")
    else:
        venv.rename(project / "away")
        venv.mkdir()
    environment.install("web", quiet())
    assert environment.is_usable(venv / "bin/python")
    assert pip_runs == ["pip", "pip"]


def test_what_does_not_load_is_no_success(
    project: Path, pip_runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Target(".venv", ("requirements.txt",), ("no_such_module",))
    monkeypatch.setitem(environment.TARGETS, "web", broken)
    with pytest.raises(InstallError, match="does not load"):
        environment.install("web", quiet())
    assert not stamp_path(broken, "requirements.txt").exists()


def test_two_installations_never_mix(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.touch()
    with file.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InstallError), only_one(file, quiet(), timeout_s=0.3):
            pytest.fail("the lock was held by another")
    with only_one(file, quiet(), timeout_s=0.3):
        pass


def test_a_command_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "install.log"
    with log.open("w") as lock:
        run([sys.executable, "-c", "print('hello')"], log, feed(), lock.fileno())
    assert log.read_text() == "hello\n"


def test_a_failed_command_is_one_sentence_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "install.log"
    program = "import sys; sys.exit('OSError: No space left on device')"
    with (
        log.open("w") as lock,
        pytest.raises(InstallError, match="The disk is full.*install.log"),
    ):
        run([sys.executable, "-c", program], log, feed(), lock.fileno())


def test_compile_jobs_reach_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import os; print(os.environ['CMAKE_BUILD_PARALLEL_LEVEL'])"
    log = tmp_path / "install.log"
    monkeypatch.delenv("CMAKE_BUILD_PARALLEL_LEVEL", raising=False)
    with log.open("w") as lock:
        run([sys.executable, "-c", program], log, PipOutput(quiet(), 3), lock.fileno())
        monkeypatch.setenv("CMAKE_BUILD_PARALLEL_LEVEL", "7")
        run([sys.executable, "-c", program], log, PipOutput(quiet(), 3), lock.fileno())
    assert log.read_text().split() == ["3", "7"]


def test_an_interruption_ends_the_compilers_too(tmp_path: Path) -> None:
    """What pip started does not go on compiling behind the owner's back."""
    pids = tmp_path / "pids"
    program = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
time.sleep(60)
"""
    script = f"""
import io, signal, sys
from pathlib import Path
from deploy.make.environment import _interrupt, run
from deploy.make.pip_output import PipOutput, Progress
signal.signal(signal.SIGTERM, _interrupt)
log = Path({str(tmp_path / "log")!r})
with log.open("w") as lock:
    feed = PipOutput(Progress(io.StringIO()), 1)
    run([sys.executable, "-c", {program!r}], log, feed, lock.fileno())
"""
    installer = subprocess.Popen(
        [sys.executable, "-c", script], cwd=environment.ROOT, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 20
        while not (pids.exists() and len(pids.read_text().split()) == 2):
            assert time.monotonic() < deadline and installer.poll() is None
            time.sleep(0.05)
        installer.send_signal(signal.SIGTERM)
        assert installer.wait(timeout=20) != 0
        for pid in map(int, pids.read_text().split()):
            while is_running(pid):
                assert time.monotonic() < deadline + 10, f"{pid} goes on"
                time.sleep(0.05)
    finally:
        installer.kill()
        installer.wait(timeout=10)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody collects is not running.
    return " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:4]


def test_a_wheel_that_was_brought_along_is_taken_in_place_of_compiling(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = project / "wheels/any/llama.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"")
    (project / "requirements.txt").write_text("llama-cpp-python==0.3.36 --hash=sha256:1\n")
    monkeypatch.setattr(environment.ready_wheel, "find_wheel", lambda *_: wheel)
    asked: list[tuple[list[str], str]] = []

    def record(command: list[str], *_: object) -> None:
        asked.append((command, Path(command[-1]).read_text()))

    monkeypatch.setattr(environment, "run", record)
    does_load = True
    monkeypatch.setattr(environment, "_run_quietly", lambda *_, **__: does_load)
    log, pip = project / ".venv/install.log", ["python", "-m", "pip", "install"]
    environment._install_llama(TARGET, pip, log, feed(), 0)
    environment._install_llama(TARGET, pip, log, feed(), 0)
    assert [text for _, text in asked] == [environment.ready_wheel.requirement(wheel)] * 2
    assert ["--force-reinstall" in command for command, _ in asked] == [True, False]
    # One that does not load here gives way to compiling, in the place of what it has put there.
    does_load = False
    environment._install_llama(TARGET, pip, log, feed(), 0)
    assert asked[-1][1].startswith("llama-cpp-python==0.3.36")
    assert "--force-reinstall" in asked[-1][0]
