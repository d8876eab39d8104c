"""A client that behaves like the page: its cookie, its origin, its frames, over a real line."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.apps.ai_chat.chat_schema import check_server_frame
from tests.live import LiveServer


class Browserlike:
    """One tab on a real server. Use as a context manager."""

    def __init__(
        self,
        server: LiveServer,
        cookie: str | None = None,
        *,
        origin: str | None = "own",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.server = server
        self.cookie = visitor_cookie(server) if cookie is None else cookie
        self.headers = headers or {}
        self.origin = server.url if origin == "own" else origin
        self.frames: list[dict[str, Any]] = []
        self.line: ClientConnection

    def __enter__(self) -> Browserlike:
        self._stack = ExitStack()
        connection = connect(
            self.server.ws_url,
            origin=self.origin,  # type: ignore[arg-type]
            subprotocols=["chat.v1"],  # type: ignore[list-item]
            additional_headers=self.headers | ({"Cookie": self.cookie} if self.cookie else {}),
            open_timeout=10,
            close_timeout=2,
        )
        self.line = self._stack.enter_context(connection)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def hello(self, **fields: Any) -> dict[str, Any]:
        """Say hello; returns the welcome."""
        self.send({"type": "hello", "v": 1, **fields})
        return self.until("welcome")

    def send(self, frame: dict[str, Any] | str | bytes) -> None:
        """Send a frame, or anything else."""
        self.line.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    def ask(self, text: str, **fields: Any) -> str:
        """Send a question; returns its generation id."""
        gen = str(uuid.uuid4())
        frame = {"type": "message.send", "cid": str(uuid.uuid4()), "gen": gen, "text": text}
        self.send(frame | fields)
        return gen

    def next(self, timeout_s: float = 15) -> dict[str, Any]:
        """The next frame."""
        frame: dict[str, Any] = json.loads(self.line.recv(timeout=timeout_s))
        check_server_frame(frame)
        self.frames.append(frame)
        return frame

    def until(self, *types: str, timeout_s: float = 20) -> dict[str, Any]:
        """Read up to the first frame of these types."""
        deadline = time.monotonic() + timeout_s
        while True:
            frame = self.next(max(0.01, deadline - time.monotonic()))
            if frame["type"] in types:
                return frame

    def until_end(self, timeout_s: float = 30) -> dict[str, Any]:
        """Read up to the end of an answer."""
        return self.until("gen.done", "gen.error", timeout_s=timeout_s)

    def until_shown(self, gen: str, num_chars: int) -> str:
        """Read until so much of an answer is shown."""
        while len(self.shown(gen)) < num_chars:
            self.until("gen.delta")
        return self.shown(gen)

    def close_code(self, timeout_s: float = 10) -> int:
        """Read until the server closes; returns the code a browser would see."""
        try:
            while True:
                self.next(timeout_s)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def shown(self, gen: str) -> str:
        """What the page would show; fails on a gap."""
        text, last = "", 0
        for frame in self.frames:
            if frame.get("gen") != gen:
                continue
            if frame["type"] == "gen.snapshot":
                text, last = frame["text"], frame["upto"]
            elif frame.get("seq", 0) > last:
                assert frame["seq"] == last + 1
                last = frame["seq"]
                if frame["type"] == "gen.delta":
                    assert frame["off"] == len(text)
                    text += frame["text"]
        return text


def visitor_cookie(server: LiveServer) -> str:
    """Open the page as somebody new; returns the cookies for the next requests."""
    with urllib.request.urlopen(server.url + "/", timeout=10) as answer:
        given = answer.headers.get_all("Set-Cookie")
    return "; ".join(cookie.partition(";")[0] for cookie in given)


def fetch(server: LiveServer, path: str, cookie: str) -> Any:
    """JSON of a GET with these cookies."""
    request = urllib.request.Request(server.url + path, headers={"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
