"""What `make` does before it installs: it finds what is missing and says the line that mends it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project_files import ROOT

PREFLIGHT = ROOT / "deploy/make/preflight.sh"
TOOLS = ("sh", "sed", "cat", "dirname")


class Machine:
    """A PATH with only what a test puts there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for tool in TOOLS:
            self.link(tool)

    def link(self, tool: str) -> None:
        found = shutil.which(tool)
        assert found
        (self.path / tool).symlink_to(found)

    def add(self, name: str, script: str = "exit 0") -> None:
        file = self.path / name
        # Never write through a link to the real tool.
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def add_whole_toolchain(self) -> None:
        for name in ("g++", "gcc", "make", "apt-get"):
            self.add(name)
        self.add("id", "echo 1000")

    def add_python(self, name: str = "python3", *, fails_on: str = "nothing at all") -> None:
        """Add this test's Python; programs that contain ``fails_on`` fail in it."""
        self.add(name, f'case "$*" in *{fails_on!r}*) exit 1;; esac\nexec {sys.executable} "$@"')

    def check(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", PREFLIGHT],
            env={"PATH": str(self.path), **environment},
            capture_output=True,
            text=True,
            timeout=30,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with everything but a Python."""
    machine = Machine(tmp_path)
    machine.add_whole_toolchain()
    return machine


def assert_told(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    """The check failed with one sentence, on one line, that contains these parts."""
    assert result.returncode != 0
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    for part in parts:
        assert part in result.stderr
    assert "Traceback" not in result.stderr


def test_a_complete_machine_passes(machine: Machine) -> None:
    machine.add_python()
    result = machine.check()
    assert (result.returncode, result.stdout, result.stderr) == (0, "python3\n", "")


def test_no_python(machine: Machine) -> None:
    assert_told(
        machine.check(),
        "lacks Python 3.11 or newer",
        "sudo apt-get update && sudo apt-get install -y python3 python3-dev python3-venv",
    )


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.add("python3", 'case "$*" in *print*) echo 3.9.2;; *) exit 1;; esac')
    assert_told(machine.check(), "python3 is 3.9.2", "python3.11 python3.11-dev python3.11-venv")


def test_a_newer_python_beside_an_old_one_is_taken(machine: Machine) -> None:
    machine.add("python3", "exit 1")
    machine.add_python("python3.12")
    assert machine.check().stdout == "python3.12\n"


def test_packages_follow_the_python(machine: Machine) -> None:
    machine.add("python3", "exit 1")
    machine.add_python("python3.12", fails_on="ensurepip")
    assert_told(machine.check(), "venv module", "install -y python3.12-venv\n")


def test_a_python_can_be_chosen(machine: Machine) -> None:
    machine.add_python("python3")
    machine.add_python("my-python")
    assert machine.check(PYTHON="my-python").stdout == "my-python\n"
    assert_told(machine.check(PYTHON="no-python"), "lacks Python 3.11")


def test_no_venv_module(machine: Machine) -> None:
    machine.add_python(fails_on="ensurepip")
    assert_told(machine.check(), "Python's venv module", "install -y python3-venv\n")


def test_no_header_files(machine: Machine) -> None:
    machine.add_python(fails_on="Python.h")
    assert_told(machine.check(), "Python's header files", "install -y python3-dev\n")


@pytest.mark.parametrize("tools", [("g++",), ("gcc",), ("g++", "gcc")])
def test_no_compiler(machine: Machine, tools: tuple[str, ...]) -> None:
    machine.add_python()
    for tool in tools:
        (machine.path / tool).unlink()
    assert_told(machine.check(), "lacks a C++ compiler", "install -y g++\n")


def test_no_make(machine: Machine) -> None:
    machine.add_python()
    (machine.path / "make").unlink()
    assert_told(machine.check(), "lacks make", "install -y make\n")


def test_all_that_is_missing_is_told_at_once(machine: Machine) -> None:
    machine.add_python(fails_on="ensurepip")
    for tool in ("g++", "make"):
        (machine.path / tool).unlink()
    assert_told(
        machine.check(),
        "Python's venv module, a C++ compiler, make",
        "sudo apt-get install -y python3-venv g++ make\n",
    )


def test_root_needs_no_sudo(machine: Machine) -> None:
    machine.add_python()
    machine.add("id", "echo 0")
    (machine.path / "make").unlink()
    result = machine.check()
    assert_told(result, "apt-get install -y make")
    assert "sudo" not in result.stderr


def test_without_apt(machine: Machine) -> None:
    machine.add_python()
    (machine.path / "make").unlink()
    (machine.path / "apt-get").unlink()
    assert_told(machine.check(), "your system's package manager", "make\n")
    machine.add("dnf")
    assert_told(machine.check(), "sudo dnf install -y make\n")


def test_a_failed_check_stops_the_installation(machine: Machine, tmp_path: Path) -> None:
    """Nothing is made, and `make` itself fails."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "deploy/make", project / "deploy/make")
    shutil.copy(ROOT / "Makefile", project)
    make = shutil.which("make")
    assert make
    result = subprocess.run(
        [make, "install"],
        cwd=project,
        env={"PATH": str(machine.path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode != 0
    assert "lacks Python 3.11 or newer" in result.stderr
    assert not (project / ".venv").exists()


def test_make_alone_lists_every_target() -> None:
    result = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0
    makefile = (ROOT / "Makefile").read_text()
    documented = re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE)
    assert {"run", "test", "test-full", "admin", "model", "demo-model"} <= set(documented)
    for target in documented:
        assert f"make {target} " in result.stdout


def test_clean_keeps_data_and_models(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = ["var/db.sqlite3", "ai_model/weights/big.gguf", ".env", ".venv-train/bin/python"]
    gone = [".venv/bin/python", "ai_model/__pycache__/a.pyc", ".mypy_cache/a"]
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    result = subprocess.run(
        ["make", "clean"], cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert result.returncode == 0, result.stderr
    assert [name for name in kept if not (tmp_path / name).exists()] == []
    assert [name for name in gone if (tmp_path / name).exists()] == []


@pytest.mark.parametrize(("answer", "is_kept"), [("yes", False), ("y", True), ("", True)])
def test_clean_data_asks(tmp_path: Path, answer: str, is_kept: bool) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "var").mkdir()
    subprocess.run(
        ["make", "clean-data"],
        cwd=tmp_path,
        input=f"{answer}\n",
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (tmp_path / "var").exists() == is_kept
