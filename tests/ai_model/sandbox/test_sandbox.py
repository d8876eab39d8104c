"""What a confined process can do and what it cannot: in real processes, by trying."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ai_model.sandbox import file_access, kernel
from ai_model.sandbox.sandbox import (
    NOT_CONFINED,
    Needs,
    Sandbox,
    SandboxMode,
    confine,
)
from tests.ai_model.sandbox.in_a_child import in_a_child

ALL = [
    "memory dumps",
    "many open files",
    "new privileges",
    "rights of root",
    "writing files",
    "private files",
    "network",
]


def can_confine() -> bool:
    """Whether this machine can do all of it."""
    try:
        return file_access.version() >= 1 and kernel.machine() in ("x86_64", "aarch64")
    except OSError:
        return False


needs_linux = pytest.mark.skipif(not can_confine(), reason="this kernel has no Landlock")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site's directory: a private var directory with a model in it, and something public."""
    (tmp_path / "var").mkdir()
    for name in ("var/db.sqlite3", "var/model.gguf", "var/pool.sock", "page"):
        (tmp_path / name).write_text(name)
    return tmp_path


CONFINE = """
site = Path(sys.argv[1])
got = confine(
    Sandbox(private=(site / "var",)),
    Needs(models=(site / "var" / "model.gguf",), socket_dir=site / "var"),
)
told["closed"], told["gaps"] = got.closed, got.gaps
"""


@needs_linux
def test_files(site: Path) -> None:
    """Private ones are closed but for the model; nothing is written, made, moved or removed."""
    told = in_a_child(
        CONFINE
        + """
attempt("database", (site / "var" / "db.sqlite3").read_text)
attempt("model", (site / "var" / "model.gguf").read_text)
attempt("page", (site / "page").read_text)
attempt("write", lambda: (site / "page").write_text("changed"))
attempt("write model", lambda: (site / "var" / "model.gguf").open("r+"))
attempt("truncate", lambda: os.truncate(site / "page", 0))
attempt("make", lambda: (site / "new").touch())
attempt("make directory", lambda: (site / "new").mkdir())
attempt("link", lambda: os.symlink(site / "var", site / "new"))
attempt("hard link", lambda: os.link(site / "var" / "db.sqlite3", site / "new"))
attempt("remove", lambda: (site / "var" / "db.sqlite3").unlink())
attempt("remove public", lambda: (site / "page").unlink())
attempt("null", lambda: Path("/dev/null").write_text("x") and "done")
""",
        site,
    )
    assert told.pop("closed") == ALL and told.pop("gaps") == []
    assert told.pop("model") == "var/model.gguf"
    assert told.pop("page") == "page"
    assert told.pop("null") == "done"
    # A link across directories is EXDEV.
    assert set(told.values()) <= {"EACCES", "EXDEV"}, told
    assert (site / "page").read_text() == "page" and not (site / "new").exists()


@needs_linux
def test_network_and_other_processes(site: Path) -> None:
    """No socket but a Unix one, and that leads nowhere; a pair within the process is fine."""
    told = in_a_child(
        CONFINE
        + """
for family in ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"):
    attempt(family, lambda: socket.socket(getattr(socket, family)).close())
attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect(str(site / "var" / "pool.sock")))
attempt("pair", lambda: [end.close() for end in socket.socketpair()] and "done")
attempt("io_uring", lambda: kernel.system_call(425, 8, None))
attempt("environment", lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes() and "read")
attempt("memory", lambda: open(f"/proc/{os.getppid()}/mem", "rb").close())
attempt("signal", lambda: os.kill(os.getppid(), 0))
""",
        site,
    )
    assert told["pair"] == "done" and told["io_uring"] == "ENOSYS"
    for name in ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "connect"):
        assert told[name] == "EPERM", name
    assert told["environment"] == told["memory"] == "EACCES"
    if file_access.version() >= 6:
        assert told["signal"] == "EPERM"


@needs_linux
def test_threads_and_programs_that_it_starts(site: Path) -> None:
    """They inherit it: llama.cpp's threads, and the trial of its kernels."""
    told = in_a_child(
        CONFINE
        + """
import subprocess
thread = threading.Thread(target=lambda: attempt("thread", lambda: socket.socket()))
thread.start(); thread.join()
thread = threading.Thread(
    target=lambda: attempt("file", (site / "var" / "db.sqlite3").read_text)
)
thread.start(); thread.join()
code = "import socket; socket.socket()"
done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
told["program"] = done.stderr.strip().splitlines()[-1]
import resource
told["core"] = resource.getrlimit(resource.RLIMIT_CORE)
told["files"] = resource.getrlimit(resource.RLIMIT_NOFILE)
told["no_new_privs"] = "NoNewPrivs:\\t1" in Path("/proc/self/status").read_text()
""",
        site,
    )
    assert told["thread"] == "EPERM" and told["file"] == "EACCES"
    assert told["program"].startswith("PermissionError")
    assert told["core"] == [0, 0] and told["no_new_privs"]
    assert told["files"][0] == told["files"][1] <= 1024


@needs_linux
def test_a_socket_elsewhere_may_be_removed_and_a_gpu_used(site: Path) -> None:
    """The directory of the service's socket holds nothing else; drivers connect and write."""
    (site / "run").mkdir()
    (site / "run" / "pool.sock").touch()
    told = in_a_child(
        """
site = Path(sys.argv[1])
confine(
    Sandbox(private=(site / "var",)), Needs(socket_dir=site / "run", has_gpu=True)
)
attempt("socket", (site / "run" / "pool.sock").unlink)
attempt("database", (site / "var" / "db.sqlite3").unlink)
attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect(str(site / "nobody")))
attempt("device", lambda: Path("/dev/zero").open("r+b", buffering=0).write(b"x"))
""",
        site,
    )
    assert told["socket"] == "done" and told["database"] == "EACCES"
    assert told["connect"] == "ENOENT" and told["device"] == 1


@needs_linux
def test_a_directory_above_a_private_one_is_not_to_be_emptied(site: Path) -> None:
    """Whoever may remove files in it might remove the database below."""
    told = in_a_child(
        """
site = Path(sys.argv[1])
confine(Sandbox(private=(site / "var",)), Needs(socket_dir=site))
attempt("page", (site / "page").unlink)
attempt("database", (site / "var" / "db.sqlite3").unlink)
""",
        site,
    )
    assert told == {"page": "EACCES", "database": "EACCES"}


def test_off_takes_nothing() -> None:
    """Not even here, in the process of the tests."""
    assert confine(Sandbox(mode=SandboxMode.OFF), Needs()) == NOT_CONFINED


GAP = """
def fail(*arguments, **options):
    raise OSError(errno.ENOSYS, "Function not implemented")

import ai_model.sandbox.sandbox as module
{break_it}
try:
    got = confine(Sandbox(mode=SandboxMode(sys.argv[1]), private=(Path("/nowhere"),)), Needs())
    told["closed"], told["gaps"] = got.closed, got.gaps
except SandboxMissing as error:
    told["error"] = str(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="nothing can be taken elsewhere")
def test_what_cannot_be_had_is_told() -> None:
    """In the mode that takes what there is; the rest is in force."""
    told = in_a_child(GAP.format(break_it="module.file_access.restrict = fail"), "auto")
    assert told["gaps"] == ["writing files: Function not implemented (Linux)"]
    assert told["closed"] == [
        name for name in ALL if name not in ("writing files", "private files")
    ]


def test_what_is_required_and_cannot_be_had_is_refused() -> None:
    """With what to do."""
    told = in_a_child(GAP.format(break_it="module.refuse_system_calls = fail"), "required")
    assert "network: Function not implemented" in told["error"]
    assert "set it to auto" in told["error"]


def test_a_filter_without_effect_is_no_filter() -> None:
    """It is tried, not believed."""
    told = in_a_child(
        GAP.format(break_it="module.refuse_system_calls = lambda **options: None"), "auto"
    )
    assert told["gaps"][-1].startswith("network: the filter has no effect")
    assert "network" not in told["closed"]


def test_another_system_gives_up_nothing_and_says_so() -> None:
    """As on a Mac: no library call is tried."""
    told = in_a_child(GAP.format(break_it="kernel.machine = lambda: ''"), "auto")
    assert told["closed"] == ["memory dumps", "many open files"]
    assert all("no 64-bit Linux" in gap or "for this processor" in gap for gap in told["gaps"])
