"""The client's end of one connection: commands out, answers and events back in."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from pathlib import Path

from ai_model.pool.errors import BadFrame, PoolError, PoolUnavailable, ProtocolMismatch, error_for
from ai_model.pool.fields import Fields
from ai_model.pool.frames import MAX_FRAME_BYTES, PROTOCOL, Frame, check_protocol, decode, encode
from ai_model.pool.peer import peer_uid

HELLO_TIMEOUT_S = 5.0
MAX_BEHIND = 512
"""Frames a reader may leave unread before its subscription is dropped (and begun anew later)."""


class Subscription:
    """The frames of one subscription that have arrived and were not read yet."""

    def __init__(self, sub: int) -> None:
        self.sub = sub
        self.is_behind = False
        """The reader was too slow: frames are missing from here on."""
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()

    def put(self, frame: Frame) -> bool:
        """Add a frame; returns False when the reader is too far behind."""
        if self._frames.qsize() >= MAX_BEHIND:
            self.is_behind = True
            self.end()
            return False
        self._frames.put_nowait(frame)
        return True

    def end(self) -> None:
        """Note that nothing follows."""
        self._frames.put_nowait(None)

    async def get(self) -> Frame | None:
        """Return the next frame, None after the last."""
        return await self._frames.get()


class Link:
    """One open connection to a pool. Lives on one event loop; made by connect()."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.is_lost = False
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._subscriptions: dict[int, Subscription] = {}
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def connect(cls, path: Path) -> Link:
        """Return a link to the pool at ``path``.

        Raises OSError when nobody listens there, ProtocolMismatch, and PoolUnavailable when the
        process there does not answer as a pool or belongs to another user.
        """
        reader, writer = await asyncio.open_unix_connection(path, limit=MAX_FRAME_BYTES)
        try:
            uid = peer_uid(writer)
            if uid is not None and uid != os.geteuid():
                raise PoolUnavailable(
                    f"The pool at {path} belongs to user {uid}, and this process to user "
                    f"{os.geteuid()}: both must be the same."
                )
            writer.write(encode({"type": "hello", "protocol": PROTOCOL, "pid": os.getpid()}))
            line = await asyncio.wait_for(reader.readuntil(b"\n"), HELLO_TIMEOUT_S)
            welcome = decode(line)
            sentence = check_protocol(welcome)
            if sentence is not None:
                raise ProtocolMismatch(sentence)
            if welcome["type"] != "welcome":
                raise PoolUnavailable(Fields(welcome).text("text", default="The pool refuses us."))
        except PoolUnavailable:
            await _hang_up(writer)
            raise
        except (PoolError, OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            await _hang_up(writer)
            raise PoolUnavailable("The process at the pool's socket does not answer.") from None
        except BaseException:
            await _hang_up(writer)
            raise
        return cls(reader, writer)

    async def ask(self, frame: Frame) -> Frame:
        """Send a command and return its answer; errors are raised. The caller sets a time limit."""
        return await self._ask(frame, next(self._ids))

    async def subscribe(self, generation: str, after: int) -> Subscription:
        """Begin to follow a generation. Raises UnknownGeneration, PoolUnavailable."""
        number = next(self._ids)
        subscription = self._subscriptions[number] = Subscription(number)
        try:
            frame = {"type": "subscribe", "generation": generation, "after": after}
            await self._ask(frame, number)
        except BaseException:
            self.unsubscribe(subscription)
            raise
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Follow no longer. Idempotent; does not wait for the pool."""
        if self._subscriptions.pop(subscription.sub, None) is not None:
            self._send({"type": "unsubscribe", "id": next(self._ids), "sub": subscription.sub})

    async def close(self) -> None:
        """Leave. Whoever still waits gets PoolUnavailable."""
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        await _hang_up(self._writer)

    async def _ask(self, frame: Frame, number: int) -> Frame:
        if self.is_lost:
            raise PoolUnavailable("The connection to the pool was lost.")
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        try:
            self._send({**frame, "id": number})
            return await future
        finally:
            self._answers.pop(number, None)

    def _send(self, frame: Frame) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(frame))

    async def _listen(self) -> None:
        """Sort what arrives until the connection ends, then tell everybody."""
        try:
            while True:
                self._sort(decode(await self._reader.readuntil(b"\n")))
        except (OSError, EOFError, asyncio.LimitOverrunError, BadFrame):
            pass
        finally:
            self.is_lost = True
            for future in self._answers.values():
                if not future.done():
                    future.set_exception(PoolUnavailable("The connection to the pool was lost."))
            for subscription in self._subscriptions.values():
                subscription.end()
            self._writer.close()

    def _sort(self, frame: Frame) -> None:
        values = Fields(frame)
        match frame["type"]:
            case "event":
                subscription = self._subscriptions.get(values.integer("sub"))
                event = values.mapping("frame")
                if subscription is not None and not subscription.put(event):
                    self.unsubscribe(subscription)
            case "end":
                ended = self._subscriptions.pop(values.integer("sub"), None)
                if ended is not None:
                    ended.end()
            case "error":
                self._take_error(values)
            case _:
                future = self._answers.get(values.integer("id"))
                if future is not None and not future.done():
                    future.set_result(frame)

    def _take_error(self, values: Fields) -> None:
        number = values.optional_integer("id")
        future = None if number is None else self._answers.get(number)
        if future is not None and not future.done():
            future.set_exception(
                error_for(
                    values.text("code", max_chars=32),
                    values.text("text", default=""),
                    values.optional_number("retry_after_s"),
                    num_waiting=values.optional_integer("num_waiting"),
                    reason=values.text("reason", max_chars=32, default=""),
                )
            )
        elif number is not None and (subscription := self._subscriptions.pop(number, None)):
            subscription.end()


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection and wait a moment until it is: a loop that ends then leaves none open."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 1.0)
