"""The chat socket: speaks ``chat.v1`` with one tab of a visitor.

``receive`` only checks a frame and puts it in line; one task per socket works the line off, so that
frames keep their order and a disconnect is seen at once. Answers run in relays that outlive the
socket.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.ai_chat import frames, services
from apps.ai_chat.audience import Member, Outbox
from apps.ai_chat.close_codes import CloseCode
from apps.ai_chat.errors import ChatError
from apps.ai_chat.generations import get_registry, require_open
from apps.ai_chat.models import Message
from apps.ai_chat.origin import Origin, origin_of
from apps.ai_chat.relay import stored_snapshot
from apps.ai_chat.representation import conversation_json, message_json
from apps.ai_chat.visitor import (
    Visitor,
    new_visitor_id,
    sign,
    unsign,
    visitor_of_id,
    visitor_of_scope,
)
from apps.ai_chat.welcome import welcome_frame

log = logging.getLogger(__name__)

SUBPROTOCOL = "chat.v1"
HELLO_TIMEOUT_S = 5.0
IDLE_TIMEOUT_S = 180.0
MAX_MALFORMED_PER_MINUTE = 10
MAX_FRAMES_IN_LINE = 64
GOODBYE_TIMEOUT_S = 2.0


class ChatConsumer(AsyncWebsocketConsumer):
    """One open chat socket."""

    visitor: Visitor | None = None
    member: Member

    async def connect(self) -> None:
        """Accept first, refuse afterwards: a refusal before accepting looks like a broken line."""
        self.registry = get_registry()
        self.outbox = Outbox(on_overflow=lambda: self._leave("draining"))
        self.member = Member(self.outbox, self._leave)
        self._line: asyncio.Queue[frames.Frame] = asyncio.Queue(MAX_FRAMES_IN_LINE)
        self._malformed: deque[float] = deque(maxlen=MAX_MALFORMED_PER_MINUTE + 1)
        self._is_leaving = False
        self._last_heard = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        offered = self.scope.get("subprotocols") or []
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self._spawn(self._write())
        if offered and SUBPROTOCOL not in offered:
            self._leave("unsupported_version")
            return
        self.origin = origin_of(self.scope)
        if self.origin is Origin.FOREIGN:
            log.warning(
                "A page of another site tried to use the chat; if it is yours, add its origin to "
                "CSRF_TRUSTED_ORIGINS (and its host name to ALLOWED_HOSTS)."
            )
            self._leave("origin_not_allowed")
            return
        self._spawn(self._work())
        self._spawn(self._watch())

    async def disconnect(self, code: int) -> None:
        """The line is gone; answers go on without it."""
        if self.visitor is not None:
            self.registry.audience.part(self.visitor.key, self.member)
        for task in tuple(self._tasks):
            task.cancel()
        for task in tuple(self._tasks):
            if task is not asyncio.current_task():
                with suppress(asyncio.CancelledError, Exception):
                    await task

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Check a frame and put it in line."""
        if self._is_leaving:
            return
        self._last_heard = time.monotonic()
        try:
            if text_data is None:
                raise ChatError("bad_frame", why="no text", ref=None)
            frame = frames.parse_frame(text_data)
            try:
                self._line.put_nowait(frame)
            except asyncio.QueueFull:
                raise ChatError("rate_limited", ref=frame.ref, retry_after_s=1) from None
        except ChatError as error:
            self._say(error, error.details.get("ref"))
            if error.code != "rate_limited":
                self._count_malformed()

    # Tasks of this socket

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("A task of a chat socket failed.", exc_info=task.exception())

    async def _write(self) -> None:
        while True:
            frame = await self.outbox.get()
            try:
                await self.send(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))
            finally:
                self.outbox.task_done()

    async def _work(self) -> None:
        while not self._is_leaving:
            frame = await self._line.get()
            try:
                await self._handle(frame)
            except ChatError as error:
                self._say(error, frame.ref)
            except Exception:
                log.exception("A frame of type %s failed.", frame.type)
                self._say(ChatError("internal"), frame.ref)

    async def _watch(self) -> None:
        """Close a socket that says no hello, or nothing at all for long."""
        await asyncio.sleep(HELLO_TIMEOUT_S)
        if self.visitor is None:
            self._leave("timeout")
            return
        while not self._is_leaving:
            silent_s = time.monotonic() - self._last_heard
            if silent_s >= IDLE_TIMEOUT_S:
                self._leave("timeout")
            await asyncio.sleep(max(0.01, IDLE_TIMEOUT_S - silent_s))

    def _say(self, error: ChatError, ref: str | None = None) -> None:
        frame: dict[str, Any] = {
            "type": "error",
            "ref": ref,
            "code": error.code,
            "text": error.text,
        }
        if error.retry_after_s is not None:
            frame["retry_after_s"] = error.retry_after_s
        self.outbox.put(frame)
        if error.problem.close_code is not None:
            self._close_with(error.problem.close_code)

    def _leave(self, code: str) -> None:
        """Say why and close; called from the audience as well."""
        if self._is_leaving:
            return
        error = ChatError(code)
        if code == "draining":
            bye = {"type": "bye", "code": int(CloseCode.DRAINING), "why": error.text}
            self.outbox.put(bye | {"retry_after_s": 1})
            self._close_with(CloseCode.DRAINING)
        else:
            self._say(error)

    def _close_with(self, code: int) -> None:
        if not self._is_leaving:
            self._is_leaving = True
            self._spawn(self._send_rest_and_close(CloseCode(code)))

    async def _send_rest_and_close(self, code: CloseCode) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.outbox.wait_until_sent(), GOODBYE_TIMEOUT_S)
        # A plain int: Daphne refuses members of an enum.
        await self.close(int(code))

    def _count_malformed(self) -> None:
        now = time.monotonic()
        self._malformed.append(now)
        if len(self._malformed) > MAX_MALFORMED_PER_MINUTE and now - self._malformed[0] < 60:
            self._leave("malformed")

    # Frames

    async def _handle(self, frame: frames.Frame) -> None:
        if isinstance(frame, frames.Hello):
            await self._hello(frame)
            return
        if self.visitor is None:
            raise ChatError("no_hello")
        handler: Callable[[Any, Visitor], Awaitable[None]] = {
            frames.MessageSend: self._message_send,
            frames.GenRegenerate: self._regenerate,
            frames.GenStop: self._stop,
            frames.GenResume: self._resume,
            frames.Ping: self._ping,
        }[type(frame)]
        await handler(frame, self.visitor)

    async def _hello(self, frame: frames.Hello) -> None:
        if self.visitor is not None:
            raise ChatError("second_hello")
        if frame.v != 1:
            raise ChatError("unsupported_version")
        require_open(self.registry)
        visitor, token = self._identify(frame.token)
        client = self.scope.get("client")
        visitor = replace(visitor, host=str(client[0]) if client else "")
        welcome = await welcome_frame(self.registry, visitor, token)
        self.visitor = visitor
        self.registry.audience.join(visitor.key, self.member)
        self.outbox.put(welcome)
        self.registry.begin_recovery()
        for generation, after in frame.resume:
            try:
                await self._resume(frames.GenResume(gen=generation, after=after), visitor)
            except ChatError as error:
                self._say(error, str(generation))

    def _identify(self, token: str) -> tuple[Visitor, str | None]:
        """Who this is, and the token to give to a client without a cookie."""
        if self.origin is Origin.OWN:
            visitor = visitor_of_scope(self.scope)
            if visitor is not None:
                return visitor, None
        if token:
            visitor_id = unsign(token)
            if visitor_id is None:
                raise ChatError("unauthorised")
        else:
            visitor_id = new_visitor_id()
        return visitor_of_id(visitor_id), sign(visitor_id)

    async def _ping(self, frame: frames.Ping, visitor: Visitor) -> None:
        self.outbox.put({"type": "pong", "n": frame.n})

    async def _message_send(self, frame: frames.MessageSend, visitor: Visitor) -> None:
        await self._check_still_welcome(visitor)
        sent = await database_sync_to_async(services.send_message)(
            visitor=visitor,
            cid=frame.cid,
            generation=frame.gen,
            text=frame.text,
            conversation_id=frame.conversation,
        )
        ack = {
            "type": "message.ack",
            "cid": str(frame.cid),
            "message": str(sent.message),
            "conversation": str(sent.conversation),
            "gen": str(sent.generation),
            "dup": sent.is_dup,
        }
        self.outbox.put(ack)
        if sent.is_dup:
            await self._resume(frames.GenResume(gen=sent.generation, after=0), visitor)
            return
        await self._tell_other_tabs(visitor, sent)
        if sent.is_command:
            await self.registry.answer_command(visitor=visitor, sent=sent)
        else:
            self.registry.start(visitor=visitor, sent=sent)

    async def _tell_other_tabs(self, visitor: Visitor, sent: services.Sent) -> None:
        def read() -> tuple[dict[str, Any], dict[str, Any]]:
            conversation = services.get_conversation(
                visitor=visitor, conversation_id=sent.conversation
            )
            question = Message.objects.get(id=sent.message)
            return conversation_json(conversation), message_json(question)

        conversation, question = await database_sync_to_async(read)()
        audience = self.registry.audience
        audience.send(visitor.key, {"type": "conversation.updated", "conversation": conversation})
        updated = {"type": "message.updated", "conversation": str(sent.conversation)}
        audience.send(visitor.key, updated | {"message": question}, but=self.member)

    async def _regenerate(self, frame: frames.GenRegenerate, visitor: Visitor) -> None:
        await self._check_still_welcome(visitor)
        sent = await database_sync_to_async(services.regenerate)(
            visitor=visitor, generation=frame.gen, message_id=frame.message
        )
        if sent.is_dup:
            await self._resume(frames.GenResume(gen=sent.generation, after=0), visitor)
        else:
            self.registry.start(visitor=visitor, sent=sent)

    async def _stop(self, frame: frames.GenStop, visitor: Visitor) -> None:
        relay = self.registry.find(frame.gen)
        if relay is None:
            row = await database_sync_to_async(services.find_answer)(
                visitor=visitor, generation=frame.gen
            )
            if row.state != Message.State.STREAMING:
                return
            relay = self.registry.adopt(row, visitor.key)
        if relay is None or relay.answer.visitor_key != visitor.key:
            raise ChatError("not_found")
        await relay.exchange.stop(frame.seen)

    async def _resume(self, frame: frames.GenResume, visitor: Visitor) -> None:
        relay = self.registry.recall(frame.gen)
        if relay is None:
            row = await database_sync_to_async(services.find_answer)(
                visitor=visitor, generation=frame.gen
            )
            if row.state != Message.State.STREAMING:
                self.outbox.put(stored_snapshot(row))
                return
            relay = self.registry.adopt(row, visitor.key)
        if relay is None or relay.answer.visitor_key != visitor.key:
            raise ChatError("not_found")
        # No await from here on: live frames must come behind the replayed ones.
        replay = relay.frames_after(frame.after)
        for item in [relay.snapshot()] if replay is None else replay:
            self.outbox.put(item)
        if relay.newest_waiting is not None:
            self.outbox.put(relay.newest_waiting)

    async def _check_still_welcome(self, visitor: Visitor) -> None:
        require_open(self.registry)
        is_signed_in = database_sync_to_async(services.is_still_signed_in)
        if not await is_signed_in(visitor=visitor):
            raise ChatError("unauthorised")
