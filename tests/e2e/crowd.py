"""Many programs at once against a real server: who gets what, and when.

By itself: ``python -m tests.e2e.crowd URL KEY NUMBER`` prints what came of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT_S = 120.0
MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """One response: ``seconds`` from the moment all began to its last byte."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def is_refusal(self) -> bool:
        """Whether somebody is told to come back later."""
        return self.status in (429, 503)

    @property
    def has_time(self) -> bool:
        """Whether the refusal says when."""
        return (
            self.headers.get("retry-after", "").isdigit()
            and int(self.headers["retry-after"]) >= 1
            and self.headers.get("retry-after-ms", "").isdigit()
        )


@dataclass(slots=True)
class Outcome:
    """What came of a crowd."""

    replies: list[Reply] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Connections that ended without a response, by the kind of error."""

    def seconds(self, *statuses: int) -> list[float]:
        """When those with one of these statuses had their response, in order; all without any."""
        return sorted(
            reply.seconds for reply in self.replies if not statuses or reply.status in statuses
        )

    def summary(self) -> dict[str, object]:
        """The numbers to look at."""
        refused = self.seconds(429, 503)
        return {
            "statuses": dict(sorted(Counter(reply.status for reply in self.replies).items())),
            "broken": dict(Counter(self.broken)),
            "last_s": round(max(self.seconds(), default=0.0), 3),
            "refusal_p50_s": round(quantile(refused, 0.5), 3),
            "refusal_p99_s": round(quantile(refused, 0.99), 3),
            "answered_last_s": round(max(self.seconds(200), default=0.0), 3),
        }


async def ask_at_once(
    url: str, key: str, number: int, *, is_streaming: bool = False, max_tokens: int = 16
) -> Outcome:
    """Let ``number`` programs ask at the same moment, each on a connection of its own."""
    body = {
        "model": "corral",
        "messages": [{"role": "user", "content": "What is Corral?"}],
        "max_tokens": max_tokens,
        "stream": is_streaming,
    }
    outcome = Outcome()
    began = time.monotonic()

    async def one(index: int) -> None:
        request = _request(url, key, {**body, "user": f"user {index}"})
        try:
            async with asyncio.timeout(TIMEOUT_S):
                outcome.replies.append(await _exchange(url, request, began))
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            outcome.broken.append(type(error).__name__)

    async with asyncio.TaskGroup() as tasks:
        for index in range(number):
            tasks.create_task(one(index))
    return outcome


def quantile(values: list[float], share: float) -> float:
    """The value that ``share`` of these do not exceed; 0 for none."""
    if not values:
        return 0.0
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _request(url: str, key: str, body: dict[str, object]) -> bytes:
    data = json.dumps(body).encode()
    head = [
        "POST /v1/chat/completions HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
        "Connection: close",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + data


async def _exchange(url: str, request: bytes, began: float) -> Reply:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(request)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        body = await reader.read(MAX_BODY_BYTES)
        while more := await reader.read(MAX_BODY_BYTES):
            body += more
    finally:
        writer.close()
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Reply(int(head[0].split()[1]), headers, body, time.monotonic() - began)


if __name__ == "__main__":
    address, secret, count = sys.argv[1:4]
    came = asyncio.run(ask_at_once(address, secret, int(count), is_streaming="-s" in sys.argv))
    print(json.dumps(came.summary()))
