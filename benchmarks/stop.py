"""How soon an answer ends for its visitor, and its instance is free, once Stop is pressed.

A real server and a real WebSocket; only the browser is missing.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection

from ai_model.pool.client import PoolClient
from benchmarks.chat_line import new_cookie, open_line
from benchmarks.live_site import LiveSite, live_site
from benchmarks.report import Report, percentile
from benchmarks.words import words

TOK_S = 20
"""Slow enough for the demo model to be stopped in the midst of an answer."""
LATEST_S = 1.0
"""Stop is pressed at most so long after the first words."""
ANSWER_TIMEOUT_S = 120.0
LOOK_EVERY_S = 0.002
MAX_TRIES = 5
"""An answer that is complete before Stop is pressed does not count."""


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure milliseconds from ``gen.stop`` to ``gen.done`` and to the free instance.

    Raises RuntimeError when the server does not start or no answer is long enough.
    """
    repeats = 5 if quick else 40
    report = Report(name="stop", model=model.name)
    with live_site(model, num_instances=2, settings={"CORRAL_MAX_TOK_S": str(TOK_S)}) as site:
        stops = asyncio.run(_stop_all(site, repeats))
    for case, samples in (
        ("gen.done received", [one.done_ms for one in stops]),
        ("instance free", [one.free_ms for one in stops]),
    ):
        report.rows.append(
            {
                "case": case,
                "stops": len(samples),
                "p50_ms": percentile(samples, 0.5),
                "p95_ms": percentile(samples, 0.95),
                "max_ms": max(samples),
            }
        )
    report.totals = {"free_p95_ms": report.rows[-1]["p95_ms"]}
    return report


@dataclass(frozen=True, slots=True)
class Stop:
    """One measured stop."""

    done_ms: float
    free_ms: float


async def _stop_all(site: LiveSite, repeats: int) -> list[Stop]:
    cookie = await asyncio.to_thread(new_cookie, site.port)
    pool = PoolClient(site.socket_path)
    choose = random.Random(1)
    stops: list[Stop] = []
    try:
        async with open_line(site.port, cookie) as line:
            for number in range(repeats):
                stops.append(await _stop_one(line, pool, choose, number))
    finally:
        await pool.close()
    return stops


async def _stop_one(
    line: ClientConnection, pool: PoolClient, choose: random.Random, number: int
) -> Stop:
    """Ask until an answer is long enough, and stop it. Raises RuntimeError if none is."""
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        for attempt in range(MAX_TRIES):
            generation = str(uuid.uuid4())
            question = {
                "type": "message.send",
                "cid": str(uuid.uuid4()),
                "gen": generation,
                "text": words(12, number * MAX_TRIES + attempt),
            }
            await line.send(json.dumps(question))
            seen = await _read_a_while(line, generation, choose.random() * LATEST_S)
            if seen is None:
                continue
            started = time.perf_counter()
            free = asyncio.create_task(_wait_until_free(pool))
            try:
                stop = {"type": "gen.stop", "gen": generation, "seen": seen}
                await line.send(json.dumps(stop))
                reason = await _wait_for_end(line, generation)
                done_ms = (time.perf_counter() - started) * 1000
                free_ms = (await free - started) * 1000
            finally:
                free.cancel()
            if reason == "user_stop":
                return Stop(done_ms, free_ms)
    raise RuntimeError("no answer was long enough to be stopped")


async def _read_a_while(line: ClientConnection, generation: str, seconds: float) -> int | None:
    """Read the answer for ``seconds`` from its first words on; returns the characters shown.

    None when it ended before.
    """
    num_shown = 0
    stop_at: float | None = None
    while True:
        left_s = None if stop_at is None else stop_at - time.monotonic()
        if left_s is not None and left_s <= 0:
            return num_shown
        try:
            async with asyncio.timeout(left_s):
                frame = json.loads(await line.recv())
        except TimeoutError:
            if stop_at is None:
                raise
            return num_shown
        if frame.get("gen") != generation:
            continue
        if frame["type"] == "gen.delta":
            num_shown = frame["off"] + len(frame["text"])
            if stop_at is None:
                stop_at = time.monotonic() + seconds
        elif frame["type"] in ("gen.done", "gen.error"):
            return None


async def _wait_for_end(line: ClientConnection, generation: str) -> str:
    async for data in line:
        frame = json.loads(data)
        if frame.get("gen") == generation and frame["type"] in ("gen.done", "gen.error"):
            return str(frame.get("reason") or frame.get("code"))
    raise ConnectionResetError


async def _wait_until_free(pool: PoolClient) -> float:
    """Return when no instance was taken any more, in seconds of ``time.perf_counter``."""
    while (await pool.status()).num_running:
        await asyncio.sleep(LOOK_EVERY_S)
    return time.perf_counter()
