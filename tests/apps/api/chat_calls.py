"""The chat over HTTP, as a page without sockets calls it: frames by POST, streams of events."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from channels.db import database_sync_to_async
from django.test import AsyncClient

from apps.ai_chat.visitor import COOKIE_NAME, sign
from apps.widget import services as sites
from apps.widget.models import Site
from tests.event_reader import EventReader

ANNA, BERT = "a" * 32, "b" * 32
FRAMES = "/api/v1/chat/frames"
SHOP = "https://shop.example.org"
Headers = dict[str, str]


def client_of(visitor_id: str | None = ANNA, **options: Any) -> AsyncClient:
    client = AsyncClient(**options)
    if visitor_id is not None:
        client.cookies[COOKIE_NAME] = sign(visitor_id)
    return client


async def post(
    client: AsyncClient,
    frame: Any,
    *,
    status: int = 200,
    query: str = "",
    headers: Headers | None = None,
) -> Any:
    """Send a frame; returns what answers it."""
    body = frame if isinstance(frame, (str, bytes)) else json.dumps(frame)
    answer = await client.post(
        FRAMES + query, body, content_type="application/json", headers=headers or {}
    )
    assert answer.status_code == status, answer.content
    return answer.json()


async def ask(client: AsyncClient, text: str = "Hello?", **more: Any) -> tuple[str, dict[str, Any]]:
    """Ask; returns the generation and the ack."""
    gen = str(uuid.uuid4())
    frame = {"type": "message.send", "cid": str(uuid.uuid4()), "gen": gen, "text": text}
    answers = await post(client, frame, **more)
    assert answers[0]["type"] == "message.ack", answers
    return gen, answers[0]


def path_of(gen: str) -> str:
    return f"/api/v1/gen/{gen}/events"


class Events:
    """An open stream."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.reader = EventReader()
        self._pieces: AsyncIterator[bytes] = aiter(answer.streaming_content)

    async def until(self, *types: str) -> dict[str, Any]:
        """Read up to a frame of these types."""
        async with asyncio.timeout(5):
            while True:
                for frame in self.reader.feed(await anext(self._pieces)):
                    if frame["type"] in types:
                        return frame

    async def rest(self) -> list[str]:
        """Read to the end of the stream; returns the types of all frames."""
        async with asyncio.timeout(5):
            async for piece in self._pieces:
                self.reader.feed(piece)
        return [frame["type"] for frame in self.reader.frames]

    async def aclose(self) -> None:
        """What the server does behind the response, in whatever way it ended."""
        for close in self.answer._resource_closers:
            close()
        await asyncio.sleep(0)


async def listen(client: AsyncClient, gen: str, *, after: str = "", query: str = "") -> Any:
    headers = {"last-event-id": after} if after else {}
    answer = await client.get(path_of(gen) + query, headers=headers)
    assert answer.status_code == 200, answer.content
    return aclosing(Events(answer))


@database_sync_to_async
def make_site() -> Site:
    site = Site.objects.create(name="Shop")
    sites.allow_origin(site, SHOP)
    return site
