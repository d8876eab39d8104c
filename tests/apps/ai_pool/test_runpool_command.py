"""``manage.py runpool``: refusals in one sentence, and a real one from start to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from ai_model.pool.errors import PoolStartError
from apps.ai_pool.management.commands import runpool
from tests.live import ROOT, live_env


class Service:
    """Stands for PoolService."""

    supervisors: list[Any] = []
    code = 0
    problem: Exception | None = None

    def __init__(self, supervisor: Any, notify: Any, log: Any) -> None:
        Service.supervisors.append(supervisor)

    def run(self) -> int:
        if Service.problem is not None:
            raise Service.problem
        return Service.code


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> None:
    Service.supervisors, Service.code, Service.problem = [], 0, None
    monkeypatch.setattr(runpool, "PoolService", Service)


def refusal(*arguments: str) -> str:
    """Run the command, which must refuse with exit code 2; returns its sentence."""
    with pytest.raises(CommandError) as caught:
        call_command("runpool", *arguments)
    assert caught.value.returncode == 2
    return str(caught.value)


def test_where_it_listens(tiny_settings: Settings, tmp_path: Path) -> None:
    """The site's own place, the one of the setting, the one of the command line."""
    call_command("runpool")
    tiny_settings.CORRAL_POOL_URL = f"unix://{tmp_path}/u.sock"
    call_command("runpool")
    call_command("runpool", socket=str(tmp_path / "c.sock"))
    places = [(one.socket_path.name, one.lock_path.name) for one in Service.supervisors]
    assert places == [
        ("pool.sock", "pool.lock"),
        ("u.sock", "u.sock.lock"),
        ("c.sock", "c.sock.lock"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CORRAL_MODEL_PATH", "/nowhere.gguf", "no model file"),
        ("CORRAL_N_CTX", 99_999, "trained for a context"),
        ("CORRAL_POOL_URL", "http://elsewhere", "must look like unix:///"),
        ("CORRAL_POOL_URL", "unix:///nowhere/p.sock", "does not exist"),
    ],
)
def test_what_cannot_work_is_refused(
    tiny_settings: Settings, name: str, value: object, words: str
) -> None:
    setattr(tiny_settings, name, value)
    assert words in refusal()
    assert Service.supervisors == []


def test_a_file_in_the_place_of_the_socket_is_kept(tiny_settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "not a socket" in refusal("--socket", str(tmp_path / "notes.txt"))
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_failures_of_the_start_and_of_the_service(tiny_settings: Settings) -> None:
    for Service.problem in (PoolStartError("It is taken."), OSError(28, "No space left")):
        assert "taken" in (sentence := refusal()) or "No space left" in sentence
    Service.problem, Service.code = None, 1
    with pytest.raises(SystemExit) as caught:
        call_command("runpool")
    assert caught.value.code == 1


@pytest.mark.e2e
def test_a_real_one(tiny_model: Path, tmp_path: Path) -> None:
    """Without a database; SIGTERM ends it with 0, and nothing stays."""
    env = live_env(
        tmp_path, CORRAL_MODEL_PATH=str(tiny_model), DATABASE_URL="sqlite:////nowhere/db"
    )
    env["SECRET_KEY"] = "not-for-the-pool" * 5
    log = tmp_path / "log"
    path = tmp_path / "p.sock"
    command = [sys.executable, "manage.py", "runpool", "--socket", str(path)]
    with (
        log.open("wb") as stderr,
        subprocess.Popen(command, cwd=ROOT, env=env, stderr=stderr) as parent,
    ):
        try:
            wait_for(path, parent)
            (child,) = psutil.Process(parent.pid).children()
            environ = child.environ()
            second = subprocess.run(
                command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=50
            )
            parent.send_signal(signal.SIGTERM)
            assert parent.wait(20) == 0
        finally:
            parent.kill()
    assert (second.returncode, "Another process runs this pool" in second.stderr) == (2, True)
    assert "Traceback" not in second.stderr + log.read_text()
    assert f"CORRAL_POOL_URL=unix://{path}" in log.read_text()
    assert not child.is_running() and not path.exists()
    secrets = [name for name in environ if name.startswith(("SECRET", "DATABASE", "CORRAL", "DJ"))]
    assert secrets == []
    assert not any("not-for-the-pool" in value for value in environ.values())


def wait_for(path: Path, process: subprocess.Popen[bytes], timeout_s: float = 40) -> None:
    """Wait for a socket."""
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline, os.listdir(path.parent)
        time.sleep(0.05)
