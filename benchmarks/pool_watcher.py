"""Somebody who watches the pool: its stream, the admin's page, or its data every second."""

from __future__ import annotations

import asyncio
import http.client
import time

TIMEOUT_S = 20.0
REFRESH_S = 1.0
PART_AFTER_S = 3.0
ADMIN_PAGE = "/admin/ai_pool/poolstatus/"
ADMIN_DATA = ADMIN_PAGE + "status.json"
ADMIN_PART = ADMIN_PAGE + "?format=part"
STREAM, PART, FETCH = "stream", "part", "fetch"


class PoolWatcher:
    """Watches as a browser with a session does. Belongs to one event loop."""

    def __init__(self, port: int, session: str) -> None:
        self._port = port
        self._cookie = f"sessionid={session}"
        self.num_looks = 0
        self._has_begun = asyncio.Event()

    async def watch(self, what: str) -> None:
        """Watch until it is cancelled. Raises OSError and RuntimeError.

        A stream is what both pages use. Every now and then the admin's fetches what its stream does
        not tell; without streams, all of it every second.
        """
        await {STREAM: self._read_events, PART: self._read_part, FETCH: self._fetch}[what]()

    async def wait_until_begun(self) -> None:
        """Wait for the first look. Raises TimeoutError."""
        async with asyncio.timeout(TIMEOUT_S):
            await self._has_begun.wait()

    async def _read_events(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = ("GET /pool/events HTTP/1.1", f"Host: 127.0.0.1:{self._port}")
        writer.write("\r\n".join((*head, f"Cookie: {self._cookie}", "", "")).encode())
        try:
            async for line in reader:
                if line.startswith(b'data: {"type":"status"') and b'"pid"' not in line:
                    raise RuntimeError("the watcher is no staff")
                self._count(line.startswith(b"event: s"))
            raise RuntimeError("the stream has ended")
        finally:
            writer.close()

    async def _read_part(self) -> None:
        self._has_begun.set()
        await asyncio.sleep(PART_AFTER_S)
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        try:
            await asyncio.to_thread(self._ask, line, ADMIN_PART)
        finally:
            line.close()
        await asyncio.Event().wait()

    async def _fetch(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        due = time.monotonic()
        try:
            while True:
                self._count(await asyncio.to_thread(self._ask, line, ADMIN_DATA) == 200)
                due += REFRESH_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        finally:
            line.close()

    def _ask(self, line: http.client.HTTPConnection, address: str) -> int:
        line.request("GET", address, headers={"Cookie": self._cookie})
        answer = line.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the admin answers {answer.status}")
        return answer.status

    def _count(self, is_look: bool) -> None:
        if is_look:
            self.num_looks += 1
            self._has_begun.set()
