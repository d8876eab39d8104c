"""How quickly the web process answers ``/health/live`` while its pool has more work than it can do.

A real server with the given model, visitors who ask one question after the other over WebSockets,
and beside them a probe such as an orchestrator would send.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ai_model.pool.client import PoolClient
from ai_model.pool.errors import PoolError
from benchmarks.chat_line import new_cookie, open_line
from benchmarks.live_site import START_TIMEOUT_S, STOP_TIMEOUT_S, live_site
from benchmarks.report import Report, Row, percentile
from benchmarks.words import words

INSTANCES = 4
VISITORS = 12
PROBE_EVERY_S = 0.05
PROBE_TIMEOUT_S = 10.0
QUESTION_TOKENS = 40


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure the probe's p50 and p99, first alone and then beside twelve busy visitors.

    Raises RuntimeError when the server does not start or the pool was never full.
    """
    seconds = 5.0 if quick else 30.0
    report = Report(name="health", model=model.name)
    with live_site(model, num_instances=INSTANCES) as site:
        report.rows.append(_row("idle", 0, _probe(site.port, seconds), Load()))
        with _visitors(site.port) as (pipe, process):
            load = Load()
            _wait_until_full(site.socket_path, process)
            watch = threading.Thread(target=load.watch, args=(site.socket_path, seconds))
            watch.start()
            probe = _probe(site.port, seconds)
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
    cookie = await asyncio.to_thread(new_cookie, port)
    while True:
        try:
            async with open_line(port, cookie) as line:
                while True:
                    ids = {"cid": str(uuid.uuid4()), "gen": str(uuid.uuid4())}
                    text = words(QUESTION_TOKENS, number + VISITORS * counts[number])
                    await line.send(json.dumps({"type": "message.send", "text": text, **ids}))
                    counts[number] += await _is_answered(line)
        except (ConnectionClosed, OSError, TimeoutError):
            await asyncio.sleep(0.5)


async def _is_answered(line: ClientConnection) -> bool:
    """Read to the end of an answer, or to the refusal of a question."""
    async for data in line:
        frame = json.loads(data)
        if frame["type"] == "gen.done":
            return True
        if frame["type"] in ("gen.error", "error"):
            await asyncio.sleep(min(5.0, float(frame.get("retry_after_s") or 0.5)))
            return False
    raise ConnectionResetError
