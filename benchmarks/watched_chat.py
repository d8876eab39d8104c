"""Visitors who read answers without a break while the pool is watched, or not: told when."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from array import array
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from benchmarks.chat_line import new_cookie, open_line
from benchmarks.pool_watcher import FETCH, PART, STREAM, PoolWatcher
from benchmarks.words import words

NOBODY, PAGE, ADMIN, FETCHED, BOTH = "nobody", "page", "admin", "fetched", "both"
WATCHED = {
    NOBODY: (),
    PAGE: (STREAM,),
    ADMIN: (STREAM, PART),
    FETCHED: (FETCH,),
    BOTH: (STREAM, STREAM, PART),
}
STOP = "stop"
QUESTION_TOKENS = 24


@dataclass
class Heard:
    """When pieces of answers came, in seconds of ``time.perf_counter``, and after how long."""

    at: array[float] = field(default_factory=lambda: array("d"))
    gaps_ms: array[float] = field(default_factory=lambda: array("d"))
    num_looks: Counter[str] = field(default_factory=Counter)
    """What watchers were told, by case."""


def chat_and_watch(pipe: Connection, port: int, session: str, num_visitors: int) -> None:
    """Chat until ``stop``, and change who watches at every word before; then send ``Heard``."""
    pipe.send(asyncio.run(_run(pipe, port, session, num_visitors)))


async def _run(pipe: Connection, port: int, session: str, num_visitors: int) -> Heard:
    heard = Heard()
    visitors = [asyncio.create_task(_ask_on(port, n, heard)) for n in range(num_visitors)]
    try:
        while (word := await asyncio.to_thread(pipe.recv)) != STOP:
            case, has_part = word
            await _watch(pipe, port, session, case, heard, has_part=has_part)
    finally:
        await _end(visitors)
    return heard


async def _watch(
    pipe: Connection, port: int, session: str, case: str, heard: Heard, *, has_part: bool
) -> None:
    """Watch from "begun" to the next word."""
    wanted = [what for what in WATCHED[case] if has_part or what != PART]
    watchers = [(PoolWatcher(port, session), what) for what in wanted]
    tasks = [asyncio.create_task(watcher.watch(what)) for watcher, what in watchers]
    try:
        for watcher, _ in watchers:
            await watcher.wait_until_begun()
        pipe.send("begun")
        await asyncio.to_thread(pipe.poll, None)
        if any(task.done() for task in tasks):
            raise RuntimeError(f"a watcher of {case} gave up")
    finally:
        await _end(tasks)
    heard.num_looks[case] += sum(watcher.num_looks for watcher, _ in watchers)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def _ask_on(port: int, number: int, heard: Heard) -> None:
    """One visitor: a question, its answer, the next question."""
    cookie = await asyncio.to_thread(new_cookie, port)
    turn = 0
    while True:
        try:
            async with open_line(port, cookie) as line:
                while True:
                    turn += 1
                    ids = {"cid": str(uuid.uuid4()), "gen": str(uuid.uuid4())}
                    text = words(QUESTION_TOKENS, 1000 * number + turn)
                    await line.send(json.dumps({"type": "message.send", "text": text, **ids}))
                    await _read(line, heard)
        except (ConnectionClosed, OSError, TimeoutError):
            await asyncio.sleep(0.5)


async def _read(line: ClientConnection, heard: Heard) -> None:
    """Read to the end of an answer, or to the refusal of a question."""
    before: float | None = None
    async for data in line:
        now = time.perf_counter()
        frame = json.loads(data)
        if frame["type"] == "gen.delta":
            if before is not None:
                heard.at.append(now)
                heard.gaps_ms.append((now - before) * 1000)
            before = now
        elif frame["type"] == "gen.done":
            return
        elif frame["type"] in ("gen.error", "error"):
            await asyncio.sleep(min(5.0, float(frame.get("retry_after_s") or 0.5)))
            return
    raise ConnectionResetError
