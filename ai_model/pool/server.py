"""Serves a pool on a Unix socket that only its own user can reach."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from pathlib import Path

from ai_model.pool.connection import Connection
from ai_model.pool.frames import MAX_FRAME_BYTES, PROTOCOL, encode
from ai_model.pool.listening_socket import (
    TAKEOVER_PAUSE_S,
    ListeningSocket,
    is_answering,
    occupied,
)
from ai_model.pool.peer import peer_uid
from ai_model.pool.pool import Pool

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 128
FLUSH_S = 1.0


class PoolServer:
    """The listening socket of one pool and its connections. Lives on the pool's loop."""

    def __init__(
        self, pool: Pool, socket_path: Path, listening: ListeningSocket | None = None
    ) -> None:
        """``listening`` is a socket that is there already; otherwise ``start`` makes it."""
        self.socket_path = socket_path
        self._listening = listening
        self._pool = pool
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}

    async def start(self, *, takeover_s: float = 0.0) -> None:
        """Listen, waiting ``takeover_s`` seconds at most for an earlier pool to leave the path.

        Raises PoolStartError when the path is unusable or another pool stays there.
        """
        if self._listening is None:
            deadline = time.monotonic() + takeover_s
            while is_answering(self.socket_path):
                if time.monotonic() >= deadline:
                    raise occupied(self.socket_path)
                await asyncio.sleep(TAKEOVER_PAUSE_S)
            self._listening = ListeningSocket(self.socket_path)
        self._server = await asyncio.start_unix_server(
            self._serve, sock=self._listening.socket, limit=MAX_FRAME_BYTES
        )

    async def close(self, *, flush_s: float = FLUSH_S) -> None:
        """Remove the socket, take no more clients, and drop the others.

        Followers of generations that have ended get ``flush_s`` seconds to read the rest.
        """
        if self._server is not None:
            self._server.close()
        self.remove_socket()
        flushes = [asyncio.create_task(one.flush()) for one in self._connections.values()]
        if flushes:
            _, late = await asyncio.wait(flushes, timeout=flush_s)
            for flush in late:
                flush.cancel()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def remove_socket(self) -> None:
        """Remove our socket, but never one that another pool has put there since."""
        if self._listening is not None:
            self._listening.remove()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        refusal = self._refusal(writer)
        if refusal is not None:
            logger.warning("A client of the pool was refused: %s", refusal)
            frame = {"type": "refused", "protocol": PROTOCOL, "text": refusal}
            writer.write(encode(frame))
            writer.close()
            return
        connection = Connection(self._pool, reader, writer)
        self._connections[task] = connection
        try:
            # Ending this way is how close() ends a connection; asyncio would log it as an error.
            with contextlib.suppress(asyncio.CancelledError):
                await connection.run()
        finally:
            del self._connections[task]

    def _refusal(self, writer: asyncio.StreamWriter) -> str | None:
        uid = peer_uid(writer)
        if uid is not None and uid != os.geteuid():
            return f"The pool belongs to user {os.geteuid()} and the client is user {uid}."
        if len(self._connections) >= MAX_CONNECTIONS:
            return f"The pool serves {MAX_CONNECTIONS} clients already."
        return None
