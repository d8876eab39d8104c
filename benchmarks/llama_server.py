"""llama.cpp's own server as a system under test, over HTTP with streaming."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ai_model.engine import amx
from ai_model.hardware import num_usable_cpus
from benchmarks.sse_client import complete
from benchmarks.workload import ANSWER_TOKENS, System

START_TIMEOUT_S = 120.0
VARIANTS = {
    "llama_server": ("-np", "8"),
    "llama_server_unified": ("-np", "8", "--kv-unified"),
    "llama_server_b64": ("-np", "8", "--kv-unified", "-b", "64", "-ub", "64"),
}


@contextmanager
def llama_server(program: Path, model: Path, flags: Sequence[str]) -> Iterator[System]:
    """Start the server with ``flags`` and stop it at the end."""
    port = _free_port()
    threads = str(num_usable_cpus())
    command = [str(program), "-m", str(model), "-c", "8192", "-t", threads, "-tb", threads]
    command += ["--host", "127.0.0.1", "--port", str(port), "-fa", "on", *flags]
    if not amx.is_safe_to_pack():  # the server was compiled by the same compiler
        command.append("--no-repack")
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(url, process)
            yield lambda visitor, messages: complete(
                url, messages, max_tokens=ANSWER_TOKENS, user=f"visitor {visitor}"
            ).answer()
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"llama-server ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("llama-server did not become ready in time")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
