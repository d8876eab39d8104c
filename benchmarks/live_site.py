"""A real site for a benchmark: Daphne with its pool process, in a directory of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 20.0
MANAGE = (sys.executable, str(ROOT / "manage.py"))


@dataclass(frozen=True, slots=True)
class LiveSite:
    """Where it is."""

    port: int
    socket_path: Path
    """The pool's."""
    pid: int
    """The web process's."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Its settings."""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def make_key(self) -> str:
        """Make an API key without limits of its own. Raises RuntimeError."""
        limits = ("requests-per-minute", "tokens-per-hour", "max-running")
        options = [part for name in limits for part in (f"--{name}", "0")]
        return _manage(self.environment, "apikey", "create", "benchmark", *options).strip()


@contextmanager
def live_site(
    model: Path, *, num_instances: int, settings: Mapping[str, str] | None = None
) -> Iterator[LiveSite]:
    """A site that can answer, ended with the block; ``settings`` are environment variables.

    Raises RuntimeError when it does not start; then the end of its log is among the notes.
    """
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        values = environment(model, Path(name), num_instances) | dict(settings or {})
        _manage(values, "migrate", "--verbosity", "0")
        port = free_port()
        with open(Path(name) / "server.log", "wb") as log:
            process = subprocess.Popen(
                [*MANAGE, "serve", "--port", str(port)],
                cwd=ROOT,
                env=values,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until_answering(port, process)
            yield LiveSite(port, Path(name) / "pool.sock", process.pid, values)
        except Exception as error:
            error.add_note((Path(name) / "server.log").read_text(errors="replace")[-2000:])
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def environment(model: Path, directory: Path, num_instances: int) -> dict[str, str]:
    """What the server is told; nothing of the owner's own settings gets through."""
    names = {"DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "maxInstances", "LOG_LEVEL"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CORRAL_", "DJANGO_")) and name not in names
    }
    return kept | {
        "DJANGO_ENV": "development",
        "CORRAL_ENV_FILE": "",
        "CORRAL_VAR_DIR": str(directory),
        "CORRAL_MODEL_PATH": str(model.resolve()),
        "CORRAL_MAX_INSTANCES": str(num_instances),
        # All visitors come from one address here, and ask faster than people do.
        "CORRAL_MAX_INFLIGHT_PER_ADDRESS": "1000",
        **dict.fromkeys(_limits(), "0"),
        "LOG_LEVEL": "WARNING",
    }


def _limits() -> list[str]:
    """Settings of how much anybody may ask for; 0 sets no limit."""
    from backend.sections import limits

    return [one.name for one in limits.SETTINGS if one.type is int]


def _manage(environment: Mapping[str, str], *arguments: str) -> str:
    command = [*MANAGE, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {arguments[0]} failed: {done.stderr[-500:]}")
    return done.stdout


def wait_until_answering(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the assistant can answer. Raises RuntimeError."""
    ends_at = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < ends_at:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/assistant", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the server did not become ready in time")


def free_port() -> int:
    """Return a port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
