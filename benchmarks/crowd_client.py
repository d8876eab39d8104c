"""Programs that ask all at once: what each of them heard, and when."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass

from benchmarks.words import words

TIMEOUT_S = 120.0
MAX_HEAD_BYTES = 64 * 1024
QUESTION_WORDS = 12


@dataclass(slots=True)
class Outcome:
    """What one client got; seconds from the moment it began to connect."""

    status: int = 0
    """0: nothing at all."""
    response_s: float = 0.0
    """Until it knew whether it is answered."""
    total_s: float = 0.0
    has_time: bool = False
    """A refusal that says when to come back."""
    is_whole: bool = False
    """An answer that came to its end."""
    failure: str = ""
    """Why there was no response, or not the whole of it."""

    @property
    def is_refusal(self) -> bool:
        """Told to come back later."""
        return self.status in (429, 503)


async def ask_at_once(port: int, key: str, num_clients: int, *, max_tokens: int) -> list[Outcome]:
    """Let ``num_clients`` connect and ask at the same time; each on a line of its own."""
    asking = [_ask(port, key, number, max_tokens) for number in range(num_clients)]
    return list(await asyncio.gather(*asking))


async def _ask(port: int, key: str, number: int, max_tokens: int) -> Outcome:
    outcome = Outcome()
    began = time.perf_counter()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MAX_HEAD_BYTES)
            try:
                writer.write(_request(port, key, number, max_tokens))
                head = await reader.readuntil(b"\r\n\r\n")
                outcome.response_s = time.perf_counter() - began
                outcome.status = int(head.split(b" ", 2)[1])
                outcome.has_time = b"\nretry-after:" in head.lower()
                body = await reader.read(-1)
                outcome.is_whole = b"data: [DONE]" in body
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError) as error:
        outcome.failure = type(error).__name__
    outcome.total_s = time.perf_counter() - began
    return outcome


def _request(port: int, key: str, number: int, max_tokens: int) -> bytes:
    body = json.dumps(
        {
            "messages": [{"role": "user", "content": words(QUESTION_WORDS, number)}],
            "max_tokens": max_tokens,
            "stream": True,
            "user": f"client {number}",
        }
    ).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
