"""A small WebSocket client (RFC 6455) on asyncio streams: text frames, ping, close.

The runtime has no WebSocket client that an asyncio program can use: autobahn, which Daphne brings,
decides once for a whole process between Twisted and asyncio, and Daphne has decided for Twisted.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 2.0
MAX_MESSAGE_BYTES = 1 << 20
MAX_HEAD_BYTES = 16 * 1024
READ_BYTES = 64 * 1024
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _CLOSE, _PING = 0x0, 0x1, 0x8, 0x9
_PONG = 0xA


class LineLost(ConnectionError):
    """The line was refused or broke; the text says why."""


class SocketLine:
    """One open line. ``receive`` may be cancelled at any time without losing a frame."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._parts = bytearray()

    @classmethod
    async def open(
        cls, url: str, *, subprotocol: str, headers: Mapping[str, str] | None = None
    ) -> SocketLine:
        """Open a line to ``url`` (ws or wss). Raises LineLost and TimeoutError."""
        parts = urlsplit(url)
        is_secure = parts.scheme == "wss"
        port = parts.port or (443 if is_secure else 80)
        context = ssl.create_default_context() if is_secure else None
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            try:
                reader, writer = await asyncio.open_connection(
                    parts.hostname, port, ssl=context, limit=MAX_HEAD_BYTES
                )
            except OSError as error:
                raise LineLost(f"{parts.netloc} cannot be reached ({error.strerror}).") from None
            line = cls(reader, writer)
            try:
                await line._shake_hands(parts.netloc, parts.path or "/", subprotocol, headers or {})
            except BaseException:
                writer.close()
                raise
        return line

    async def send(self, frame: Mapping[str, Any]) -> None:
        """Send a JSON object. Raises LineLost."""
        await self._send(_TEXT, json.dumps(frame).encode())

    async def receive(self) -> dict[str, Any]:
        """Return the next JSON object. Raises LineLost when the line ends."""
        while True:
            while (found := self._next_frame()) is None:
                await self._fill()
            is_last, kind, payload = found
            if kind == _CLOSE:
                code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
                raise LineLost(f"The server closed the line with code {code}.")
            if kind == _PING:
                await self._send(_PONG, payload)
            elif kind in (_TEXT, _CONTINUATION):
                self._parts += payload
                if len(self._parts) > MAX_MESSAGE_BYTES:
                    raise LineLost("The server sent a message that is too long.")
                if is_last:
                    text, self._parts = bytes(self._parts), bytearray()
                    return _object(text)

    async def close(self) -> None:
        """Say good-bye and close. Idempotent."""
        with suppress(LineLost):
            await self._send(_CLOSE, (1000).to_bytes(2, "big"))
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._writer.wait_closed()

    async def _shake_hands(
        self, host: str, path: str, subprotocol: str, headers: Mapping[str, str]
    ) -> None:
        key = base64.b64encode(os.urandom(16))
        lines = {
            "Host": host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": subprotocol,
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._writer.write(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        try:
            await self._writer.drain()
            answer = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise LineLost("The server does not speak WebSocket here.") from None
        status, *rest = answer.split("\r\n")
        if " 101 " not in f"{status} ":
            raise LineLost(f"The server refused the line: {status[:100]}")
        wanted = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
        fields = [line.partition(":") for line in rest]
        given = {name.strip().lower(): value.strip() for name, _, value in fields}
        if given.get("sec-websocket-accept") != wanted:
            raise LineLost("The server's handshake is wrong; is a cache in between?")

    async def _fill(self) -> None:
        try:
            data = await self._reader.read(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            raise LineLost("The line broke.")
        self._buffer += data

    def _next_frame(self) -> tuple[bool, int, bytes] | None:
        """Take a whole frame off the buffer: is it the last part, its kind, its payload."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            start += 2 if length == 126 else 8
            if len(buffer) < start:
                return None
            length = int.from_bytes(buffer[2:start], "big")
        if buffer[1] & 0x80 or buffer[0] & 0x70 or length > MAX_MESSAGE_BYTES:
            raise LineLost("The server sent a frame that cannot be.")
        if len(buffer) < start + length:
            return None
        first, payload = buffer[0], bytes(buffer[start : start + length])
        del buffer[: start + length]
        return bool(first & 0x80), first & 0x0F, payload

    async def _send(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        head = bytearray([0x80 | kind])
        if length < 126:
            head.append(0x80 | length)
        elif length < 1 << 16:
            head += bytes([0x80 | 126]) + length.to_bytes(2, "big")
        else:
            head += bytes([0x80 | 127]) + length.to_bytes(8, "big")
        mask = os.urandom(4)
        long_mask = (mask * (length // 4 + 1))[:length]
        number = int.from_bytes(payload, "big") ^ int.from_bytes(long_mask, "big")
        try:
            self._writer.write(bytes(head) + mask + number.to_bytes(length, "big"))
            await self._writer.drain()
        except OSError:
            raise LineLost("The line broke.") from None


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise LineLost("The server sent something that is not a JSON object.")
    return found
