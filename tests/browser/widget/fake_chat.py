"""A chat server of which a test writes every frame, for states that are hard to bring about."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

TOKEN = "token-of-a-visitor"
CONVERSATION = "5f0c5fb0-0000-4000-8000-000000000001"


class FakeChat:
    """Answers hello and questions; everything else is said by the test."""

    def __init__(self, page: Page, **welcome: Any) -> None:
        self.received: list[dict[str, Any]] = []
        self.welcome = {
            "v": 1,
            "visitor": "v-1",
            "heartbeat_s": 20,
            "server_ms": 1,
            "limits": {"max_chars": 2000, "max_inflight": 1, "queue_max": 32},
            "model": {"label": "Demo", "ctx": 1024, "demo": True},
            "pool": {"state": "ok", "text": ""},
            "live": [],
            "site": {"key": "", "name": "", "is_on": True},
        } | welcome
        self.takes_questions = True
        self._socket: WebSocketRoute | None = None
        self._gen = ""
        self._seq = 0
        self._num_messages = 1
        page.route_web_socket(re.compile(r"/ws/chat/"), self._connect)

    def frames(self, kind: str) -> list[dict[str, Any]]:
        """What the page has sent of this type."""
        return [frame for frame in self.received if frame["type"] == kind]

    def say(self, kind: str, **fields: Any) -> None:
        """Send a frame."""
        assert self._socket is not None
        self._socket.send(json.dumps({"type": kind, **fields}))

    def moment(self, kind: str, **fields: Any) -> None:
        """Send news of the moment about the newest answer."""
        self.say(kind, gen=self._gen, **fields)

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a numbered frame of the newest answer."""
        self._seq += 1
        self.say(kind, gen=self._gen, seq=self._seq, **fields)

    def start(self) -> None:
        """The answer has an instance."""
        self.tell(
            "gen.started", instance=0, model="Demo", waited_ms=0, prompt_tokens=60, quality="full"
        )

    def finish(self, num_chars: int, reason: str = "stop") -> None:
        """The answer is over."""
        self.tell(
            "gen.done",
            reason=reason,
            chars=num_chars,
            usage={"prompt": 60, "completion": 40, "cached": 30},
            timing={"queue_ms": 31_000, "ttft_ms": 900, "gen_ms": 13_000, "tok_s": 9.4},
            quality="full",
        )

    def hang_up(self, code: int) -> None:
        """Close the line."""
        assert self._socket is not None
        self._socket.close(code=code)

    def _new_message(self) -> str:
        self._num_messages += 1
        return f"5f0c5fb0-0000-4000-8000-{self._num_messages:012d}"

    def _connect(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.on_message(self._take)

    def _take(self, text: str | bytes) -> None:
        frame = json.loads(text)
        self.received.append(frame)
        if frame["type"] == "hello":
            self.say("welcome", **self.welcome)
        elif frame["type"] == "message.send" and self.takes_questions:
            self._gen, self._seq = frame["gen"], 0
            self.say(
                "message.ack",
                cid=frame["cid"],
                message=self._new_message(),
                conversation=CONVERSATION,
                gen=frame["gen"],
                dup=False,
                token=TOKEN,
                token_exp=4_000_000_000,
            )
            self.tell("gen.created", message=self._new_message(), conversation=CONVERSATION)
        elif frame["type"] == "ping":
            self.say("pong", n=frame["n"])
