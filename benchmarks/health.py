"""How quickly the web process answers ``/health/live`` while its pool has more work than it can do.

A real server with the given model, visitors who ask one question after the other over WebSockets,
and beside them a probe such as an orchestrator would send.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from ai_model.pool.client import PoolClient
from ai_model.pool.errors import PoolError
from benchmarks.report import Report, Row, percentile
from benchmarks.words import words

ROOT = Path(__file__).resolve().parents[1]
INSTANCES = 4
VISITORS = 12
PROBE_EVERY_S = 0.05
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 20.0
PROBE_TIMEOUT_S = 10.0
QUESTION_TOKENS = 40


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure the probe's p50 and p99, first alone and then beside twelve busy visitors.

    Raises RuntimeError when the server does not start or the pool was never full.
    """
    seconds = 5.0 if quick else 30.0
    report = Report(name="health", model=model.name)
    with _server(model) as (port, socket_path):
        report.rows.append(_row("idle", 0, _probe(port, seconds), Load()))
        with _visitors(port) as (pipe, process):
            load = Load()
            _wait_until_full(socket_path, process)
            watch = threading.Thread(target=load.watch, args=(socket_path, seconds))
            watch.start()
            probe = _probe(port, seconds)
            watch.join()
            pipe.send("stop")
            if not pipe.poll(STOP_TIMEOUT_S):
                raise RuntimeError("the visitors did not come back")
            load.num_answers = pipe.recv()
        report.rows.append(_row("saturated", VISITORS, probe, load))
    report.totals = {"live_p99_ms": report.rows[-1]["p99_ms"]}
    return report


@dataclass
class Probe:
    """Answers of the health probe."""

    millis: list[float] = field(default_factory=list)
    num_failed: int = 0


@dataclass
class Load:
    """How busy the pool was while it was measured."""

    num_looks: int = 0
    num_full: int = 0
    """Looks at which every instance was taken and somebody waited."""
    num_answers: int = 0

    def watch(self, socket_path: Path, seconds: float) -> None:
        """Look at the pool twice a second."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            self.num_looks += 1
            self.num_full += _is_full(socket_path)
            time.sleep(0.5)


def _row(case: str, visitors: int, probe: Probe, load: Load) -> Row:
    return {
        "case": case,
        "visitors": visitors,
        "answers": load.num_answers,
        "full_share": load.num_full / max(1, load.num_looks),
        "probes": len(probe.millis),
        "failed": probe.num_failed,
        "p50_ms": percentile(probe.millis, 0.5),
        "p99_ms": percentile(probe.millis, 0.99),
        "max_ms": max(probe.millis),
    }


def _probe(port: int, seconds: float) -> Probe:
    """Ask ``/health/live`` twenty times a second, each time on a new connection."""
    probe = Probe()
    ends_at = time.monotonic() + seconds
    due = time.monotonic()
    while due < ends_at:
        started = time.perf_counter()
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_TIMEOUT_S)
        try:
            line.request("GET", "/health/live")
            answer = line.getresponse()
            answer.read()
            probe.num_failed += answer.status != 200
        except (OSError, http.client.HTTPException):
            probe.num_failed += 1
        finally:
            line.close()
        probe.millis.append((time.perf_counter() - started) * 1000)
        due = max(due + PROBE_EVERY_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
    return probe


def _is_full(socket_path: Path) -> bool:
    async def ask() -> bool:
        client = PoolClient(socket_path)
        try:
            status = await client.status()
            return status.num_waiting > 0 and status.num_available == 0
        except PoolError:
            return False
        finally:
            await client.close()

    return asyncio.run(ask())


def _wait_until_full(socket_path: Path, visitors: BaseProcess) -> None:
    ends_at = time.monotonic() + START_TIMEOUT_S
    while not _is_full(socket_path):
        if time.monotonic() > ends_at or not visitors.is_alive():
            raise RuntimeError("the visitors never filled the pool")
        time.sleep(0.1)


# The server.


@contextmanager
def _server(model: Path) -> Iterator[tuple[int, Path]]:
    """A site with the model, in a directory of its own; gives its port and its pool's socket."""
    with tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name:
        environment = _environment(model, Path(name))
        _manage(environment, "migrate", "--verbosity", "0")
        port = _free_port()
        with open(Path(name) / "server.log", "wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_answering(port, process)
            yield port, Path(name) / "pool.sock"
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


def _environment(model: Path, directory: Path) -> dict[str, str]:
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
        "CORRAL_MAX_INSTANCES": str(INSTANCES),
        # All visitors come from one address here.
        "CORRAL_MAX_INFLIGHT_PER_ADDRESS": "1000",
        "LOG_LEVEL": "WARNING",
    }


def _manage(environment: Mapping[str, str], *arguments: str) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {arguments[0]} failed: {done.stderr[-500:]}")


def _wait_until_answering(port: int, process: subprocess.Popen[bytes]) -> None:
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The visitors, in a process of their own: their work is not to be seen in the probe's numbers.


@contextmanager
def _visitors(port: int) -> Iterator[tuple[Connection, BaseProcess]]:
    """Visitors who ask without a break until they are told ``stop``; then they say how often."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_visit, args=(there, port))
    process.start()
    there.close()
    try:
        yield here, process
    finally:
        here.close()
        process.join(STOP_TIMEOUT_S)
        process.kill()
        process.join()


def _visit(pipe: Connection, port: int) -> None:
    pipe.send(asyncio.run(_visit_all(pipe, port)))


async def _visit_all(pipe: Connection, port: int) -> int:
    counts = [0] * VISITORS
    tasks = [asyncio.create_task(_ask_on(port, number, counts)) for number in range(VISITORS)]
    # A word, or the end of the process that measures.
    await asyncio.to_thread(pipe.poll, None)
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    return sum(counts)


async def _ask_on(port: int, number: int, counts: list[int]) -> None:
    """One visitor: a question, its answer, the next question."""
    url = f"http://127.0.0.1:{port}"
    cookie = await asyncio.to_thread(_cookie, url)
    while True:
        try:
            async with connect(
                f"ws://127.0.0.1:{port}/ws/chat/",
                origin=url,  # type: ignore[arg-type]
                subprotocols=["chat.v1"],  # type: ignore[list-item]
                additional_headers={"Cookie": cookie},
            ) as line:
                await line.send(json.dumps({"type": "hello", "v": 1}))
                while True:
                    ids = {"cid": str(uuid.uuid4()), "gen": str(uuid.uuid4())}
                    text = words(QUESTION_TOKENS, number + VISITORS * counts[number])
                    await line.send(json.dumps({"type": "message.send", "text": text, **ids}))
                    counts[number] += await _is_answered(line)
        except (ConnectionClosed, OSError, TimeoutError):
            await asyncio.sleep(0.5)


async def _is_answered(line: object) -> bool:
    """Read to the end of an answer, or to the refusal of a question."""
    async for data in line:  # type: ignore[attr-defined]
        frame = json.loads(data)
        if frame["type"] == "gen.done":
            return True
        if frame["type"] in ("gen.error", "error"):
            await asyncio.sleep(min(5.0, float(frame.get("retry_after_s") or 0.5)))
            return False
    raise ConnectionResetError


def _cookie(url: str) -> str:
    """Open the page as somebody new."""
    with urllib.request.urlopen(url + "/", timeout=30) as answer:
        given = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(cookie.partition(";")[0] for cookie in given)
