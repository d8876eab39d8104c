"""One pool process, seen from its parent: start it, hear its words, end it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ai_model.pool.launch import Launch, Word, understand

ROOT = Path(__file__).resolve().parents[2]
"""The directory that ``ai_model`` is imported from."""

ENV_NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "LOG_LEVEL",
        "CORRAL_LOG_FORMAT",
        "VIRTUAL_ENV",
        "LD_LIBRARY_PATH",
        "XDG_RUNTIME_DIR",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONUNBUFFERED",
        "PYTHONPYCACHEPREFIX",
        "PYTHONWARNINGS",
        "CUDA_VISIBLE_DEVICES",
    }
)
ENV_PREFIXES = ("LC_", "GGML_", "LLAMA_", "OMP_", "GOMP_")
MAX_LINE_BYTES = 64 * 1024
KILL_S = 5.0


class PoolProcess:
    """A running child. Not thread-safe: one thread owns it and must call end() or reap().

    Raises OSError when the process cannot be started.
    """

    def __init__(self, launch: Launch) -> None:
        self.started_at = time.monotonic()
        self._unread = b""
        # A session of its own: Ctrl-C in a terminal goes to the parent alone, which then ends the
        # child in order. Should the parent die otherwise, the end of the pipe tells the child.
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "ai_model.pool"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=clean_environment(os.environ),
            start_new_session=True,
        )
        assert self._popen.stdin is not None and self._popen.stdout is not None
        self._stdin, self._stdout = self._popen.stdin, self._popen.stdout
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(launch.to_line())
            self._stdin.flush()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._popen.pid

    def listen(self, timeout_s: float, wakeup: int) -> list[tuple[Word, str]] | None:
        """Return what the child has said; None when it has closed its end, which means it is dying.

        Waits ``timeout_s`` seconds at most, and less when the descriptor ``wakeup`` becomes
        readable.
        """
        words = self._stdout.fileno()
        ready, _, _ = select.select([words, wakeup], [], [], timeout_s)
        if words not in ready:
            return []
        piece = os.read(words, 4096)
        if not piece:
            return None
        *lines, self._unread = (self._unread + piece).split(b"\n")
        self._unread = self._unread[-MAX_LINE_BYTES:]
        return [said for line in lines if (said := understand(line)) is not None]

    def end(self, timeout_s: float) -> int:
        """Ask the child to end, insist after ``timeout_s`` seconds, and return its exit code."""
        self._popen.terminate()
        return self.reap(timeout_s)

    def kill(self) -> None:
        """End the child at once, also one that is stopped, and reap it."""
        self._popen.kill()
        self.reap(KILL_S)

    def reap(self, timeout_s: float) -> int:
        """Wait for the child's end, kill it after ``timeout_s`` seconds; return its exit code."""
        try:
            self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        return self._popen.returncode


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a pool process may know of our environment: no secrets, no database."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in ENV_NAMES or name.startswith(ENV_PREFIXES)
    }
    paths = [str(ROOT), *environ.get("PYTHONPATH", "").split(os.pathsep)]
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def describe_exit(code: int) -> str:
    """Return an exit code of a child in words."""
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    hint = ", perhaps because memory ran out" if -code == signal.SIGKILL else ""
    return f"it was ended by signal {name}{hint}"
