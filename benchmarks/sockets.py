"""Many open pages: what they cost the web process, and whether anything is lost on the way.

A real server, people who only look, people who chat, and one line that is never read.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from benchmarks.chat_line import new_cookie, open_line
from benchmarks.chatting import Heard, chat
from benchmarks.deaf_line import Deaf, talk_without_listening
from benchmarks.live_site import LiveSite, live_site
from benchmarks.report import Report, percentile

INSTANCES = 4
PING_EVERY_S = 20.0
PONG_TIMEOUT_S = 30.0
SAMPLE_EVERY_S = 0.1
NUM_COOKIES_AT_ONCE = 8
MB = 1024 * 1024


def run(model: Path, *, quick: bool = False) -> Report:
    """Count lost frames, and measure the gaps between tokens and the memory of the web process.

    Raises RuntimeError when the server does not start.
    """
    num_idle, num_chatting, num_turns = (20, 5, 1) if quick else (200, 20, 3)
    report = Report(name="sockets", model=model.name)
    # One machine stands for all visitors; a pace like that of a larger model keeps them busy.
    settings = {"CORRAL_MAX_TOK_S": "30", "CORRAL_QUEUE_SIZE": str(max(32, num_chatting))}
    with live_site(model, num_instances=INSTANCES, settings=settings) as site:
        crowd = asyncio.run(_Crowd(site).measure(num_idle, num_chatting, num_turns))
    report.rows += [
        {"case": case, "sockets": num_sockets, "web_rss_mb": mb}
        for case, num_sockets, mb in crowd.memory
    ]
    deaf = crowd.deaf
    report.totals = {
        "answers": sum(one.num_answers for one in crowd.heard),
        "refused": sum(one.num_refused for one in crowd.heard),
        "frames_lost": sum(one.num_lost for one in crowd.heard),
        "texts_wrong": sum(one.num_wrong for one in crowd.heard),
        "idle_lines_lost": crowd.num_idle_lost,
        "gap_p50_ms": percentile(crowd.gaps_ms, 0.5),
        "gap_p95_ms": percentile(crowd.gaps_ms, 0.95),
        "rss_growth_mb": crowd.memory[2][2] - crowd.memory[0][2],
        "deaf_frames_sent": deaf.num_sent,
        "deaf_rss_mb": crowd.deaf_mb,
        "deaf_closed": str(deaf.is_closed),
        "deaf_seconds": deaf.seconds,
    }
    return report


@dataclass
class _Crowd:
    """Everybody who has a page open."""

    site: LiveSite
    memory: list[tuple[str, int, float]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    deaf: Deaf = field(default_factory=Deaf)
    deaf_mb: float = 0.0
    num_idle_lost: int = 0

    @property
    def gaps_ms(self) -> list[float]:
        """Milliseconds between the pieces of all answers."""
        return [gap for one in self.heard for gap in one.gaps_ms] or [0.0]

    async def measure(self, num_idle: int, num_chatting: int, num_turns: int) -> _Crowd:
        """Open the pages, let people chat, and then have one who never reads."""
        cookies = await self._cookies(num_idle + num_chatting + 1)
        # What is loaded at the first question is no cost of a socket.
        self.heard.append(await chat(self.site.port, cookies[-1], 0, 1))
        self._note("nobody", 0)
        async with AsyncExitStack() as stack:
            idle = [
                await stack.enter_async_context(_idle_line(self.site.port, cookie))
                for cookie in cookies[:num_idle]
            ]
            self._note("all look", num_idle)
            watch = asyncio.create_task(self._watch_memory())
            chats = [
                asyncio.create_task(chat(self.site.port, cookie, number, num_turns))
                for number, cookie in enumerate(cookies[num_idle:-1], start=1)
            ]
            try:
                self.heard += await asyncio.gather(*chats)
            finally:
                watch.cancel()
                for task in chats:
                    task.cancel()
            (peak_mb,) = await asyncio.gather(watch)
            self.memory.append(("some chat, at most", num_idle + num_chatting, peak_mb))
            self.num_idle_lost = sum([not await line.is_alive() for line in idle])
            before_mb = self._rss_mb()
            watch = asyncio.create_task(self._watch_memory())
            self.deaf = await talk_without_listening(self.site.port, cookies[-1])
            watch.cancel()
            (peak_mb,) = await asyncio.gather(watch)
            self.deaf_mb = peak_mb - before_mb
            self.memory.append(("one never reads, at most", num_idle + 1, peak_mb))
        self._note("all have left", 0)
        return self

    async def _cookies(self, count: int) -> list[str]:
        places = asyncio.Semaphore(NUM_COOKIES_AT_ONCE)

        async def fetch() -> str:
            async with places:
                return await asyncio.to_thread(new_cookie, self.site.port)

        return list(await asyncio.gather(*(fetch() for _ in range(count))))

    def _rss_mb(self) -> float:
        return float(psutil.Process(self.site.pid).memory_info().rss) / MB

    def _note(self, case: str, num_sockets: int) -> None:
        self.memory.append((case, num_sockets, self._rss_mb()))

    async def _watch_memory(self) -> float:
        """Return the most that was used until this is cancelled."""
        most = 0.0
        try:
            while True:
                most = max(most, self._rss_mb())
                await asyncio.sleep(SAMPLE_EVERY_S)
        except asyncio.CancelledError:
            return most


class _IdleLine:
    """A page that is open and says only that it lives, as the page does."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._pongs: asyncio.Queue[int] = asyncio.Queue()

    async def live(self) -> None:
        """Send a ping now and then, and read what comes; ends with the line."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            tasks.create_task(self._ping())

    async def is_alive(self) -> bool:
        """Whether it still gets an answer."""
        number = time.monotonic_ns() % 1_000_000
        try:
            async with asyncio.timeout(PONG_TIMEOUT_S):
                await self._line.send(json.dumps({"type": "ping", "n": number}))
                while await self._pongs.get() != number:
                    pass
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    async def _read(self) -> None:
        async for data in self._line:
            frame = json.loads(data)
            if frame["type"] == "pong":
                self._pongs.put_nowait(frame["n"])

    async def _ping(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(PING_EVERY_S)
            number += 1
            await self._line.send(json.dumps({"type": "ping", "n": number}))


@asynccontextmanager
async def _idle_line(port: int, cookie: str) -> AsyncIterator[_IdleLine]:
    async with open_line(port, cookie) as connection:
        line = _IdleLine(connection)
        task = asyncio.create_task(line.live())
        try:
            yield line
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
