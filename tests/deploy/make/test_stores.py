"""Servers for tests: they are there for one command, and gone behind it however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.project_files import ROOT

STORES = ROOT / "deploy/make/stores.sh"
LOOK = 'echo "$CORRAL_TEST_STORES $DATABASE_URL $CORRAL_CACHE_URL"'


def run(kind: str, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", STORES, kind, "sh", "-c", script],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=50,
    )


def needs(*programs: str) -> None:
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")] or shutil.which("initdb")
    there = {"postgresql": bool(found), "redis-server": shutil.which("redis-server") is not None}
    missing = [name for name in programs if not there[name]]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def test_both_are_there_for_one_command() -> None:
    needs("postgresql", "redis-server")
    done = run("both", f"{LOOK}; exit 3")
    assert done.returncode == 3, done.stderr
    marked, database, cache = done.stdout.split()
    assert marked == "1" and database.startswith("postgres://corral@//tmp/corral-st.")
    directory = Path(cache.removeprefix("unix://").partition("?")[0]).parent
    assert directory.name in database and not directory.exists()


def test_a_killed_script_leaves_no_server_behind() -> None:
    needs("redis-server")
    script = subprocess.Popen(
        ["/bin/sh", STORES, "redis", "sh", "-c", f"{LOOK}; exec sleep 60"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert script.stdout is not None
    with script.stdout:
        directory = Path(script.stdout.readline().split("//")[1].partition("?")[0]).parent
        server = psutil.Process(int((directory / "redis.pid").read_text()))
        left = psutil.Process(script.pid).children()
        script.send_signal(signal.SIGKILL)
        script.wait(10)
    server.wait(10)
    ends_at = time.monotonic() + 10
    while directory.exists():
        assert time.monotonic() < ends_at
        time.sleep(0.02)
    for process in left:  # the command itself was not ours to end
        if process.is_running() and process.name() == "sleep":
            process.kill()


@pytest.mark.parametrize(
    ("kind", "package"), [("postgres", "postgresql"), ("redis", "redis-server")]
)
def test_what_is_missing_is_one_sentence(tmp_path: Path, kind: str, package: str) -> None:
    for tool in ("sh", "ls", "sort", "tail", "dirname", "readlink", "id"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    if kind == "postgres" and list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("it is where Debian keeps it")
    done = run(kind, "echo never", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.strip().endswith(f"(Debian: apt-get install {package}).")
    assert done.stderr.count("\n") == 1
