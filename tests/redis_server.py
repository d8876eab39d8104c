"""A Redis of a test's own: empty, on a Unix socket in a new directory, gone behind the block."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

START_TIMEOUT_S = 10.0


@dataclass
class RedisServer:
    """One running server."""

    directory: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What CORRAL_CACHE_URL takes."""
        return f"unix://{self.directory}/redis.sock"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = {"port": "0", "save": "", "appendonly": "no", "unixsocket": self._socket}
        self.process = subprocess.Popen(
            ["redis-server", *(part for name in options for part in (f"--{name}", options[name]))],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self._socket)
                return
            time.sleep(0.01)
        raise AssertionError("redis-server did not start")

    def freeze(self) -> None:
        """Let it answer nobody, with its connections open."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it; idempotent."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None

    @property
    def _socket(self) -> str:
        return str(self.directory / "redis.sock")


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A running server; skips the test where none is installed, unless one is required."""
    if shutil.which("redis-server") is None:
        say = pytest.fail if os.environ.get("CORRAL_REQUIRE_STORES") == "1" else pytest.skip
        say("redis-server is not installed")
    # A short name: the path of a Unix socket may have 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="corral-", dir="/tmp"))
    server = RedisServer(directory)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
