"""Questions on chat sockets, and what their answers say of themselves."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection

from benchmarks.chat_line import open_line

ANSWER_TIMEOUT_S = 900.0


@dataclass(slots=True)
class Heard:
    """One answer; seconds are those of ``time.perf_counter``."""

    sent_at: float
    first_at: float = 0.0
    ended_at: float = 0.0
    usage: dict[str, Any] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)


async def ask(line: ClientConnection, text: str) -> Heard:
    """Ask one question, in a conversation of its own, and read its answer.

    Raises RuntimeError when it is refused, and TimeoutError.
    """
    generation = str(uuid.uuid4())
    question = {"type": "message.send", "cid": str(uuid.uuid4()), "gen": generation, "text": text}
    heard = Heard(time.perf_counter())
    await line.send(json.dumps(question))
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        async for data in line:
            now = time.perf_counter()
            frame = json.loads(data)
            if frame["type"] in ("error", "gen.error"):
                raise RuntimeError(f"refused: {frame.get('code')}")
            if frame.get("gen") != generation:
                continue
            if frame["type"] == "gen.delta":
                heard.first_at = heard.first_at or now
            elif frame["type"] == "gen.done":
                heard.ended_at = now
                heard.usage, heard.timing = frame.get("usage") or {}, frame.get("timing") or {}
                return heard
    raise ConnectionResetError("the line was closed before the answer was whole")


async def ask_all(
    port: int, cookies: Sequence[str], questions: Sequence[str]
) -> list[tuple[float, float, int, int]]:
    """Let each of ``cookies`` ask one of ``questions`` at the same time.

    Returns when each was sent and ended, its tokens, and those of its prompt. Opening the lines
    does not count.
    """
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(open_line(port, cookie)) for cookie in cookies]
        for line in lines:
            await until_welcome(line)
        asking = [ask(line, text) for line, text in zip(lines, questions, strict=True)]
        heard = await asyncio.gather(*asking)
    return [
        (one.sent_at, one.ended_at, int(one.usage["completion"]), int(one.usage["prompt"]))
        for one in heard
    ]


async def until_welcome(line: ClientConnection) -> None:
    """Wait until the server has let the visitor in."""
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        async for data in line:
            if json.loads(data)["type"] == "welcome":
                return
    raise ConnectionResetError("the line was closed")
