"""Our processes are found by the locks they hold, real ones here, and by nothing else."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from apps.ai_pool.resources import site_process
from apps.ai_pool.resources.lock_holders import lock_holders
from apps.ai_pool.resources.site_process import Kind, site_processes

KEEPER = """
import fcntl, subprocess, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
work = "import sys; print('up', flush=True); sys.stdin.read()"
child = subprocess.Popen(
    [sys.executable, "-c", work, "ai_model.pool"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
child.stdin.close()
child.wait(5)
child.stdout.close()
"""


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A process that holds the pool's lock, and its child: their ids."""
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(tmp_path / "pool.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdin and parent.stdout
        yield parent.pid, int(parent.stdout.readline())
        parent.stdin.close()
        parent.wait(10)


def test_web_keeper_and_pool(tmp_path: Path, keeper: tuple[int, int]) -> None:
    server_lock = tmp_path / "server.lock"
    with server_lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        found = site_processes(server_lock, tmp_path / "pool.lock")
    assert [(one.kind, one.pid) for one in found] == [
        (Kind.WEB, os.getpid()),
        (Kind.KEEPER, keeper[0]),
        (Kind.POOL, keeper[1]),
    ]
    own = found[0]
    assert own.is_share and 0 < own.memory_bytes <= psutil.Process().memory_info().rss
    assert own.cpu_s > 0 and own.num_threads >= 1


def test_a_web_process_that_keeps_the_pool_is_listed_once(tmp_path: Path) -> None:
    lock = tmp_path / "one.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert [one.kind for one in site_processes(lock, lock)] == [Kind.WEB]


def test_nobody_holds_a_lock_that_is_free_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "free.lock").touch()
    assert site_processes(tmp_path / "free.lock", tmp_path / "missing.lock") == []


def test_other_lines_of_the_kernel_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    path.touch()
    inode = path.stat().st_ino
    locks = tmp_path / "locks"
    locks.write_text(
        f"1: FLOCK  ADVISORY  READ 42 08:01:{inode} 0 EOF\n"
        f"1: -> FLOCK  ADVISORY  WRITE 43 08:01:{inode} 0 EOF\n"
        f"2: POSIX  ADVISORY  WRITE 44 08:01:{inode} 0 EOF\n"
        f"3: FLOCK  ADVISORY  WRITE 45 08:01:{inode}1 0 EOF\n"
        f"4: FLOCK  ADVISORY  WRITE 0 08:01:{inode} 0 EOF\n"
        "nonsense\n"
    )
    assert lock_holders(path, locks) == {42}
    assert lock_holders(path, tmp_path / "none") == set()


def test_a_process_of_somebody_else_shows_resident_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: psutil.Process) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "memory_full_info", refuse)
    with (tmp_path / "a").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        (found,) = site_processes(tmp_path / "a", tmp_path / "b")
    assert not found.is_share and found.memory_bytes > 0


def test_one_that_ends_while_it_is_looked_at_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_process, "lock_holders", lambda path: {2**22 + 1})
    assert site_processes(tmp_path, tmp_path) == []
