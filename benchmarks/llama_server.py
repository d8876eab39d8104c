"""llama.cpp's own server as a system under test, over HTTP with streaming."""

from __future__ import annotations

import json
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
from benchmarks.workload import ANSWER_TOKENS, Answer, Message, System

START_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 900.0
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
            yield lambda visitor, messages: _complete(url, messages)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _complete(url: str, messages: Sequence[Message]) -> Answer:
    body = {
        "messages": [{"role": role, "content": text} for role, text in messages],
        "max_tokens": ANSWER_TOKENS,
        "temperature": 0.8,
        "top_k": 40,
        "repeat_penalty": 1.0,
        "seed": 1,
        "stream": True,
        "cache_prompt": True,
    }
    request = urllib.request.Request(
        f"{url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    started = time.perf_counter()
    first = 0.0
    pieces: list[str] = []
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as response:
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            choices = json.loads(line[6:]).get("choices") or [{}]
            piece = choices[0].get("delta", {}).get("content")
            if piece:
                first = first or time.perf_counter()
                pieces.append(piece)
    ended = time.perf_counter()
    return Answer(first - started, ended - started, len(pieces), "".join(pieces))


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
