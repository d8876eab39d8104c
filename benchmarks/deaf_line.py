"""A client that asks and asks and never reads an answer."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import uuid
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from benchmarks.chat_line import open_line

RECEIVE_BYTES = 4096
"""As little as the operating system may keep for it."""
LIMIT_S = 30.0
BATCH = 20
PAUSE_S = 0.02
SEND_TIMEOUT_S = 10.0


@dataclass
class Deaf:
    """What became of it."""

    num_sent: int = 0
    is_closed: bool = False
    """The server has given it up."""
    seconds: float = 0.0


async def talk_without_listening(port: int, cookie: str) -> Deaf:
    """Send a thousand frames a second, each of which has an answer, until the line is closed.

    Ends after half a minute if nobody closes it, or when the server takes nothing more.
    """
    deaf = Deaf()
    began = time.monotonic()
    line_socket = socket.socket()
    line_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    line_socket.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line_socket, ("127.0.0.1", port))
    options = {"sock": line_socket, "max_queue": 1, "ping_interval": None, "close_timeout": 0.5}
    unknown = json.dumps({"type": "gen.resume", "gen": str(uuid.uuid4()), "after": 0})
    try:
        async with open_line(port, cookie, **options) as line:
            while time.monotonic() - began < LIMIT_S:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    for _ in range(BATCH):
                        await line.send(unknown)
                        deaf.num_sent += 1
                await asyncio.sleep(PAUSE_S)
    except TimeoutError:
        pass  # the server has stopped to listen
    except (ConnectionClosed, OSError):
        deaf.is_closed = True
    deaf.seconds = time.monotonic() - began
    return deaf
