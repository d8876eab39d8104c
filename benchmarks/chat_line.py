"""A visitor's line to a site: the WebSocket of ``chat.v1`` and the cookie that opens it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect


def new_cookie(port: int) -> str:
    """Open the page as somebody new. Blocks."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        given = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(cookie.partition(";")[0] for cookie in given)


@asynccontextmanager
async def open_line(port: int, cookie: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """A line that has said hello; ``options`` are those of websockets' connect()."""
    async with connect(
        f"ws://127.0.0.1:{port}/ws/chat/",
        origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
        subprotocols=["chat.v1"],  # type: ignore[list-item]
        additional_headers={"Cookie": cookie},
        **options,
    ) as line:
        await line.send(json.dumps({"type": "hello", "v": 1}))
        yield line
