"""The site as visitors reach it: through its public address and whatever stands in front."""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from apps.ai_pool.doctor.greeting import answer_of, close_frame, hello_frame
from apps.ai_pool.doctor.seen import HEADER, PATH, signature

TIMEOUT_S = 10.0
MAX_BYTES = 65536
SPOOFED = "192.0.2.77"
"""An address of nobody (RFC 5737), claimed as a visitor could claim it."""


class BadAddress(ValueError):
    """``--url`` is no address of a site. The text is one sentence."""


class Unreachable(Exception):
    """Nobody answers there. The text is a clause: the reason."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes = b""
    greeting: str = ""
    """Of a socket: ``welcome``, or why not."""
    piece_times: list[float] = field(default_factory=list)
    """Of a stream: when something came, in seconds since the head of the answer."""

    def json(self) -> dict[str, Any]:
        """The body as an object; {} for anything else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class PublicSite:
    """Asks one address. Every wait ends after ten seconds."""

    def __init__(self, url: str, *, context: ssl.SSLContext | None = None) -> None:
        """``context`` decides which certificates count; by default those of the system."""
        try:
            parts = urlsplit(url)
            self._port = parts.port
        except ValueError:
            parts, self._port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadAddress(f"--url must look like https://www.example.org, not {url!r}.")
        self.scheme = parts.scheme
        self.host = parts.hostname
        self.origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._context = context or ssl.create_default_context()

    @property
    def is_public(self) -> bool:
        """False for an address only this machine can use."""
        return self.host not in ("localhost", "127.0.0.1", "::1")

    def see(self) -> Reply:
        """Ask the server what it sees of this request. Raises Unreachable."""
        return self._get(PATH, {HEADER: signature(), "X-Forwarded-For": SPOOFED})

    def stream(self, kind: str) -> Reply:
        """Read a slow answer and note when its pieces come. Raises Unreachable."""
        connection = self._connection()
        try:
            # As browsers ask: a proxy that packs a stream may hold it back for that.
            headers = {HEADER: signature(), "Accept-Encoding": "gzip"}
            connection.request("GET", f"{PATH}?stream={kind}", headers=headers)
            answer = connection.getresponse()
            begin, times = time.monotonic(), []
            while answer.read1(1024):
                times.append(time.monotonic() - begin)
            return Reply(answer.status, answer.headers, piece_times=times)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(_reason(error)) from None
        finally:
            connection.close()

    def open_chat(self, origin: str) -> Reply:
        """Open the chat's socket as a page of ``origin`` would, and say hello."""
        headers = {
            "Origin": origin,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": "chat.v1",
        }
        connection = self._connection()
        try:
            connection.request("GET", "/ws/chat/", headers=headers)
            answer = connection.getresponse()
            if answer.status != 101:
                return Reply(answer.status, answer.headers)
            connection.sock.sendall(hello_frame())
            greeting = answer_of(answer.fp)
            connection.sock.sendall(close_frame())
            return Reply(answer.status, answer.headers, greeting=greeting)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(_reason(error)) from None
        finally:
            connection.close()

    def _get(self, path: str, headers: dict[str, str]) -> Reply:
        connection = self._connection()
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read(MAX_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(_reason(error)) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self.scheme == "https":
            return http.client.HTTPSConnection(
                self.host, self._port, timeout=TIMEOUT_S, context=self._context
            )
        return http.client.HTTPConnection(self.host, self._port, timeout=TIMEOUT_S)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} s"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
