"""Starts a real server (Daphne with its pool process) in a directory of its own, for tests.

``with live_server_process(max_tok_s=15) as server:`` gives the address, the process ids and the
log; leaving the block ends both processes and fails loudly if either stays behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.stores import fresh_stores

ROOT = Path(__file__).resolve().parent.parent
FOR_PEOPLE = (
    *("CORRAL_MESSAGES_PER_MINUTE", "CORRAL_TOKENS_PER_HOUR"),
    *("CORRAL_ANONYMOUS_MESSAGES_PER_MINUTE", "CORRAL_ANONYMOUS_MESSAGES_PER_HOUR"),
    *("CORRAL_ANONYMOUS_TOKENS_PER_HOUR", "CORRAL_ANONYMOUS_TOKENS_PER_DAY"),
)
"""Limits of how much somebody asks."""
DEMO_MODEL = ROOT / "ai_model" / "weights" / "demo.gguf"


class ServerFailed(AssertionError):
    """The server did not start or did not do what was waited for; carries the end of its log."""


@dataclass
class LiveServer:
    """One running server: where it is, who it is, and what it wrote."""

    port: int
    process: subprocess.Popen[bytes]
    var_dir: Path
    env: dict[str, str]

    @property
    def url(self) -> str:
        """Address of the site without a slash at the end, such as http://127.0.0.1:40123."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Address of the chat socket."""
        return f"ws://127.0.0.1:{self.port}/ws/chat/"

    @property
    def pid(self) -> int:
        """Process id of the web process."""
        return self.process.pid

    def find_pool_pid(self) -> int | None:
        """Process id of the pool process now, or None while there is none."""
        try:
            children = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return None
        for child in children:
            with contextlib.suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE and "ai_model.pool" in child.cmdline():
                    return child.pid
        return None

    def pool_pid(self, *, unlike: int | None = None, timeout_s: float = 20.0) -> int:
        """Process id of the pool process; waits for one that is not ``unlike``."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            pid = self.find_pool_pid()
            if pid is not None and pid != unlike:
                return pid
            time.sleep(0.05)
        raise ServerFailed(f"no pool process within {timeout_s} s\n{self.log_text()}")

    def log_text(self, num_chars: int = 6000) -> str:
        """The end of what the server has written."""
        return (self.var_dir / "server.log").read_text(errors="replace")[-num_chars:]

    def get(self, path: str, *, timeout_s: float = 10.0) -> tuple[int, bytes]:
        """Status and body of a GET; an error status is an answer here, not an exception."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout_s) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def wait_until_answering(self, timeout_s: float = 60.0) -> None:
        """Wait for the model: until /health/assistant says 200."""
        deadline = time.monotonic() + timeout_s
        body = b""
        while time.monotonic() < deadline:
            status, body = self.get("/health/assistant")
            if status == 200:
                return
            time.sleep(0.1)
        raise ServerFailed(f"no assistant within {timeout_s} s: {body!r}\n{self.log_text()}")

    def manage(self, *arguments: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a manage.py command with this server's environment."""
        return run_manage(self.env, *arguments, timeout_s=timeout_s)


def run_manage(
    env: Mapping[str, str], *arguments: str, timeout_s: float = 60.0, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` with the given environment and return what it wrote."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=ROOT,
        env=dict(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def live_env(var_dir: Path, *, max_tok_s: float = 0.0, **overrides: str) -> dict[str, str]:
    """Environment of a test server: nothing of the developer's own settings gets through."""
    ours = ("CORRAL_", "DJANGO_")
    names = {"DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "maxInstances", "LOG_LEVEL"}
    env = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k not in names}
    env |= {
        "DJANGO_SETTINGS_MODULE": "backend.settings",
        "DJANGO_ENV": "development",
        "CORRAL_ENV_FILE": "",
        "CORRAL_VAR_DIR": str(var_dir),
        "CORRAL_MAX_TOK_S": str(max_tok_s),
        "CORRAL_THREADS": "1",
        # Tests ask faster than people do.
        **dict.fromkeys(FOR_PEOPLE, "0"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }
    return env | overrides


@contextlib.contextmanager
def live_server_process(
    *,
    max_tok_s: float = 0.0,
    wait_for_model: bool = False,
    start_timeout_s: float = 40.0,
    is_behind_proxy: bool = False,
    **overrides: str,
) -> Iterator[LiveServer]:
    """A migrated database and a Daphne on a free port, both in a new directory.

    ``max_tok_s`` paces every instance (0 = full speed); ``overrides`` are environment variables,
    for example ``CORRAL_MODEL_PATH="/nowhere.gguf"``. With ``wait_for_model`` the block starts
    when the assistant can answer.
    """
    # /tmp and a short name: the path of a Unix socket may have 107 bytes.
    var_dir = Path(tempfile.mkdtemp(prefix="corral-", dir="/tmp"))
    with fresh_stores() as stores:
        # The same number of instances on every machine, whatever profile fits it.
        overrides = {"CORRAL_MAX_INSTANCES": "4", **stores, **overrides}
        env = live_env(var_dir, max_tok_s=max_tok_s, **overrides)
        with _serving(var_dir, env, start_timeout_s, is_behind_proxy=is_behind_proxy) as server:
            if wait_for_model:
                server.wait_until_answering()
            yield server


@contextlib.contextmanager
def _serving(
    var_dir: Path, env: dict[str, str], start_timeout_s: float, *, is_behind_proxy: bool
) -> Iterator[LiveServer]:
    """The server itself; ``var_dir`` is gone behind it."""
    migrate = run_manage(env, "migrate", "--verbosity", "0", timeout_s=120)
    if migrate.returncode:
        shutil.rmtree(var_dir, ignore_errors=True)
        raise ServerFailed(f"migrate failed\n{migrate.stdout}{migrate.stderr}")
    port = free_port()
    with open(var_dir / "server.log", "wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(port)),
                *("--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536"),
                *("--verbosity", "0"),
                *(["--proxy-headers"] if is_behind_proxy else []),
                env.get("TESTED_APPLICATION", "backend.asgi:application"),
            ],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = LiveServer(port=port, process=process, var_dir=var_dir, env=env)
    try:
        _wait_for_port(server, start_timeout_s)
        yield server
    finally:
        left_behind = _end(server)
        shutil.rmtree(var_dir, ignore_errors=True)
    if left_behind:
        raise ServerFailed(f"still running after the server ended: {left_behind}")


def _wait_for_port(server: LiveServer, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            ended = f"the server ended with {server.process.returncode}"
            raise ServerFailed(f"{ended}\n{server.log_text()}")
        with contextlib.suppress(OSError):
            server.get("/health/live", timeout_s=5)
            return
        time.sleep(0.05)
    raise ServerFailed(f"no answer on port {server.port} within {timeout_s} s\n{server.log_text()}")


def _end(server: LiveServer) -> list[str]:
    """End the server politely, then by force; the children that outlived it are returned."""
    try:
        children = psutil.Process(server.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait(timeout=5)
    _, alive = psutil.wait_procs(children, timeout=10)
    left_behind = []
    for child in alive:
        with contextlib.suppress(psutil.Error):
            left_behind.append(f"{child.pid} {' '.join(child.cmdline())}")
            child.kill()
    return left_behind
