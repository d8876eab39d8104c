"""A bad line between a browser and a server: slow, far away, and cut every few seconds.

``with rough_line(server.port, latency_s=0.3, bytes_per_s=50_000, cut_every_s=5) as line:`` listens
on ``line.port``. Everything runs in one thread with an event loop of its own, which ends with the
block.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

_CHUNK_BYTES = 4096
_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: the connection ends with a reset, as when a phone changes its network."""


@dataclass(kw_only=True)
class RoughLine:
    """What the line does to everything that goes through it, and what it has done so far."""

    target_port: int
    latency_s: float
    bytes_per_s: float
    cut_every_s: float
    """0: never."""
    port: int = 0
    num_cuts: int = 0
    is_open: threading.Event = field(default_factory=threading.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Address of the site through the line."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self) -> None:
        """Carry connections until ``end`` is called."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.is_open.set()
        cutter = asyncio.create_task(self._cut_for_ever())
        await self._ended.wait()
        cutter.cancel()
        server.close()
        self._cut()

    def end(self) -> None:
        """Let ``serve`` end; from another thread."""
        self._loop.call_soon_threadsafe(self._ended.set)

    async def _cut_for_ever(self) -> None:
        while self.cut_every_s:
            await asyncio.sleep(self.cut_every_s)
            self.num_cuts += 1
            self._cut()

    def _cut(self) -> None:
        for writer in tuple(self._writers):
            raw = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            back.transport.abort()
            return
        writers = {back, forth}
        self._writers |= writers
        try:
            await asyncio.gather(self._pump(near, forth), self._pump(far, back))
        finally:
            self._writers -= writers
            for writer in writers:
                writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction: every chunk arrives ``latency_s`` later, none quicker than the
        bandwidth allows. The delay does not hold up what comes behind."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(256)
        delivery = asyncio.create_task(self._deliver(on_the_way, writer))
        try:
            while data := await reader.read(_CHUNK_BYTES):
                await asyncio.sleep(len(data) / self.bytes_per_s)
                await on_the_way.put((time.monotonic() + self.latency_s, data))
            await on_the_way.put((time.monotonic() + self.latency_s, b""))
            await delivery
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            delivery.cancel()

    async def _deliver(
        self, on_the_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while True:
                arrives, data = await on_the_way.get()
                await asyncio.sleep(max(0.0, arrives - time.monotonic()))
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()


@contextlib.contextmanager
def rough_line(
    target_port: int,
    *,
    latency_s: float = 0.0,
    bytes_per_s: float = 1e9,
    cut_every_s: float = 0.0,
) -> Iterator[RoughLine]:
    """A listening line to ``target_port`` of this machine; see the module."""
    line = RoughLine(
        target_port=target_port,
        latency_s=latency_s,
        bytes_per_s=bytes_per_s,
        cut_every_s=cut_every_s,
    )
    # Not in this thread: a test that drives a browser has a running loop of its own.
    thread = threading.Thread(target=lambda: asyncio.run(line.serve()), name="rough-line")
    thread.start()
    try:
        if not line.is_open.wait(5):
            raise AssertionError("the line did not open")
        yield line
    finally:
        if line.is_open.is_set():
            line.end()
        thread.join(10)
