"""One open tab of a visitor, talking to the consumer without a server."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from apps.ai_chat.routing import websocket_urlpatterns
from apps.ai_chat.visitor import cookie_header
from tests.apps.ai_chat.chat_schema import check_server_frame

APPLICATION = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
OWN_ORIGIN = b"http://localhost"


class Closed(Exception):
    """The server closed the socket; ``code`` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Tab:
    """A socket with the cookie of ``visitor_id``."""

    def __init__(
        self,
        visitor_id: str | None = None,
        *,
        origin: bytes | None = OWN_ORIGIN,
        host: bytes = b"localhost",
        subprotocols: list[str] | None = None,
        cookie: str | None = None,
    ) -> None:
        headers = [(b"host", host)]
        if origin is not None:
            headers.append((b"origin", origin))
        if cookie is None and visitor_id is not None:
            cookie = cookie_header(visitor_id)
        self.cookie = cookie or ""
        if cookie:
            headers.append((b"cookie", cookie.encode()))
        offered = ["chat.v1"] if subprotocols is None else subprotocols
        self.socket = WebsocketCommunicator(
            APPLICATION, "/ws/chat/", headers=headers, subprotocols=offered
        )
        self.frames: list[dict[str, Any]] = []
        self.welcome: dict[str, Any] = {}

    async def connect(self) -> str | None:
        """Open the socket; returns the accepted subprotocol."""
        is_open, subprotocol = await self.socket.connect(timeout=5)
        assert is_open
        return subprotocol

    async def open(self, **hello: Any) -> Tab:
        """Open the socket and say hello."""
        await self.connect()
        await self.send({"type": "hello", "v": 1, **hello})
        self.welcome = await self.until("welcome")
        return self

    async def send(self, frame: dict[str, Any] | str) -> None:
        """Send a frame, or any text."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def ask(self, text: str, **fields: Any) -> dict[str, Any]:
        """Send a question with new ids; returns the frame that was sent."""
        frame = {
            "type": "message.send",
            "cid": str(uuid.uuid4()),
            "gen": str(uuid.uuid4()),
            "text": text,
            **fields,
        }
        await self.send(frame)
        return frame

    async def next(self, timeout_s: float = 5) -> dict[str, Any]:
        """The next frame; raises Closed when the server closes instead."""
        event = await self.socket.receive_output(timeout_s)
        if event["type"] == "websocket.close":
            code = event.get("code")
            # What Daphne insists on, and the communicator does not.
            assert type(code) is int and (code == 1000 or 3000 <= code <= 4999), repr(code)
            raise Closed(event.get("code", 1000))
        frame: dict[str, Any] = json.loads(event["text"])
        check_server_frame(frame)
        self.frames.append(frame)
        return frame

    async def until(self, *types: str, timeout_s: float = 5) -> dict[str, Any]:
        """Read frames up to the first one of these types."""
        async with asyncio.timeout(timeout_s):
            while True:
                frame = await self.next(timeout_s)
                if frame["type"] in types:
                    return frame

    async def until_end(self, timeout_s: float = 5) -> dict[str, Any]:
        """Read frames up to the end of an answer."""
        return await self.until("gen.done", "gen.error", timeout_s=timeout_s)

    async def until_settled(self) -> None:
        """Read frames up to the end of an answer, and until all is said of its question as well."""
        wanted = {"gen.done", "conversation.updated"}
        while wanted:
            wanted.discard((await self.until(*wanted))["type"])

    async def until_closed(self, timeout_s: float = 8) -> int:
        """Read frames until the server closes; returns the code."""
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    await self.next(timeout_s)
                except Closed as closed:
                    return closed.code

    def shown(self, generation: str) -> str:
        """The text a browser would show; fails on a gap in the numbers or the offsets."""
        text, last = "", 0
        for frame in self.frames:
            if frame.get("gen") != generation:
                continue
            if frame["type"] == "gen.snapshot":
                text, last = frame["text"], frame["upto"]
            if "seq" not in frame or frame["seq"] <= last:
                continue
            assert frame["seq"] == last + 1, f"frame {frame['seq']} behind {last}"
            last = frame["seq"]
            if frame["type"] == "gen.delta":
                assert frame["off"] == len(text)
                text += frame["text"]
        return text

    async def close(self) -> None:
        """Leave."""
        await self.socket.disconnect(timeout=5)
