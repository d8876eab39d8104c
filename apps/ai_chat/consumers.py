"""The chat socket: speaks ``chat.v1`` with one tab of a visitor.

``receive`` only checks a frame and puts it in line; one task per socket works the line off, so that
frames keep their order and a disconnect is seen at once. Answers run in relays that outlive the
socket.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.ai_chat import frames
from apps.ai_chat.audience import Member
from apps.ai_chat.backlog import Backlog
from apps.ai_chat.close_codes import CloseCode
from apps.ai_chat.entrance import (
    Admission,
    admit_by_handover,
    admit_to_our_page,
    admit_to_site,
    language_of,
    speaking,
)
from apps.ai_chat.error_frame import error_frame
from apps.ai_chat.errors import ChatError
from apps.ai_chat.generations import get_registry, require_open
from apps.ai_chat.load_test_visitors import load_test_token
from apps.ai_chat.origin import Origin, is_host_ours, origin_header, origin_of
from apps.ai_chat.outbox import Outbox
from apps.ai_chat.session import RECHECK_S, ChatSession
from apps.ai_chat.visitor import visitor_of_scope
from apps.ai_chat.welcome import welcome_frame
from apps.ai_pool.limits.address_block import line_of_address
from apps.ai_pool.limits.client_address import counted_scope_address
from apps.ai_pool.limits.socket_places import PLACES, NoPlace, Place

log = logging.getLogger(__name__)

SUBPROTOCOL = "chat.v1"
HELLO_TIMEOUT_S = 5.0
IDLE_TIMEOUT_S = 180.0
MAX_MALFORMED_PER_MINUTE = 10
MAX_FRAMES_IN_LINE = 64
MAX_TOO_FAST_PER_MINUTE = 200
GOODBYE_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 10.0
LOOK_AGAIN_S = 0.02
# Together with one frame and the rest of the outbox below 256 KB for a client that never reads.
MAX_BACKLOG_BYTES = 16 * 1024
MAX_REPLY_BYTES = 8 * 1024

_BYES = {"draining": CloseCode.DRAINING, "moved": CloseCode.MOVED}
"""What is no fault of anybody: the client comes back."""


class ChatConsumer(AsyncWebsocketConsumer):
    """One open chat socket."""

    session: ChatSession | None = None
    member: Member
    _language = ""
    _place: Place | None = None
    """While nobody vouches for the visitor, the socket is one of a number."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Not in ``disconnect``: a server that gives up waiting for it never calls it.
            self._leave_place()

    async def connect(self) -> None:
        """Accept first, refuse afterwards: a refusal before accepting looks like a broken line."""
        self.registry = get_registry()
        self.outbox = Outbox(on_overflow=lambda: self._leave("draining"))
        self.backlog: Backlog = self.scope.get("backlog") or Backlog(None)
        self.member = Member(self.outbox, self._leave)
        self._line: asyncio.Queue[frames.Frame] = asyncio.Queue(MAX_FRAMES_IN_LINE)
        self._malformed: deque[float] = deque(maxlen=MAX_MALFORMED_PER_MINUTE + 1)
        self._too_fast: deque[float] = deque(maxlen=MAX_TOO_FAST_PER_MINUTE + 1)
        self._is_leaving = False
        self._last_heard = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        offered = self.scope.get("subprotocols") or []
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self.backlog.bound_the_system()
        self._spawn(self._write())
        if offered and SUBPROTOCOL not in offered:
            self._leave("unsupported_version")
            return
        if not is_host_ours(self.scope):
            log.warning("The chat was asked for by a host name that is not in ALLOWED_HOSTS.")
            self._leave("origin_not_allowed")
            return
        try:
            self._take_place()
        except NoPlace as full:
            self._say(ChatError("rate_limited", retry_after_s=full.retry_after_s))
            self._close_with(CloseCode.TRY_LATER)
            return
        self._spawn(self._work())
        self._spawn(self._watch())

    async def disconnect(self, code: int) -> None:
        """The line is gone; answers go on without it."""
        if self.session is not None:
            self.session.close()
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
            if error.code == "rate_limited":
                self._count(self._too_fast)
            else:
                self._count(self._malformed)

    # Its place among the sockets of strangers

    def _take_place(self) -> None:
        """Raises NoPlace when there are as many as may be."""
        known = visitor_of_scope(self.scope) if origin_of(self.scope) is Origin.OWN else None
        if known is None or known.is_anonymous:
            self._place = PLACES.take(line_of_address(counted_scope_address(self.scope)))

    def _leave_place(self) -> None:
        if self._place is not None:
            self._place.leave()

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
            while self.backlog.num_bytes > MAX_BACKLOG_BYTES:
                await asyncio.sleep(LOOK_AGAIN_S)
            text = await self.outbox.get()
            try:
                await self.send(text)
            except Exception as error:
                # The client has gone while we were writing; ``disconnect`` is on its way.
                log.info("A frame could not be sent (%s).", type(error).__name__)
                self._is_leaving = True
                return
            finally:
                self.outbox.task_done()

    async def _work(self) -> None:
        while not self._is_leaving:
            frame = await self._line.get()
            try:
                await self._room()
                await self._handle(frame)
            except ChatError as error:
                self._say(error, frame.ref)
            except Exception:
                log.exception("A frame of type %s failed.", frame.type)
                self._say(ChatError("internal"), frame.ref)

    async def _room(self) -> None:
        """Wait until most answers to earlier frames are gone; one who reads none is given up."""
        deadline = time.monotonic() + READ_TIMEOUT_S
        while self.outbox.num_bytes > MAX_REPLY_BYTES and not self._is_leaving:
            if time.monotonic() > deadline:
                self._leave("draining")
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _watch(self) -> None:
        """Close a socket that says no hello, or nothing at all for long."""
        await asyncio.sleep(HELLO_TIMEOUT_S)
        if self.session is None:
            self._leave("timeout")
            return
        while not self._is_leaving:
            silent_s = time.monotonic() - self._last_heard
            if silent_s >= IDLE_TIMEOUT_S:
                self._leave("timeout")
            await asyncio.sleep(max(0.01, IDLE_TIMEOUT_S - silent_s))

    async def _recheck(self, session: ChatSession) -> None:
        """Close a line whose rights have ended, though nobody asks anything on it."""
        while not self._is_leaving:
            end = session.visitor.rights_end
            left_s = RECHECK_S if end is None else min(RECHECK_S, end - time.time())
            await asyncio.sleep(max(0.05, left_s))
            try:
                await session.check_rights()
            except ChatError as error:
                self._say(error)
            except Exception as exception:
                # A database that is away takes nobody's rights.
                log.warning("Rights could not be looked at (%s).", type(exception).__name__)

    def _say(self, error: ChatError, ref: str | None = None) -> None:
        self.outbox.put(error_frame(error, ref, self._language))
        if error.problem.close_code is not None:
            self._close_with(error.problem.close_code)

    def _leave(self, code: str) -> None:
        """Say why and close; called from the audience as well."""
        if self._is_leaving:
            return
        error = ChatError(code)
        close_code = _BYES.get(code)
        if close_code is not None:
            with speaking(self._language):
                bye = {"type": "bye", "code": int(close_code), "why": error.text}
            self.outbox.put(bye | {"retry_after_s": 1})
            self._close_with(close_code)
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

    def _count(self, times: deque[float]) -> None:
        """Note another bad frame; too many within a minute end the socket."""
        now = time.monotonic()
        times.append(now)
        if len(times) == times.maxlen and now - times[0] < 60:
            self._leave("malformed")

    # Frames

    async def _handle(self, frame: frames.Frame) -> None:
        if self.session is not None:
            await self.session.handle(frame)
        elif isinstance(frame, frames.Hello):
            await self._hello(frame)
        else:
            raise ChatError("no_hello")
        if self.session is not None and not self.session.visitor.is_anonymous:
            self._leave_place()

    async def _hello(self, frame: frames.Hello) -> None:
        self._language = language_of(frame.lang)
        if frame.v != 1:
            raise ChatError("unsupported_version")
        require_open(self.registry)
        admission = await database_sync_to_async(self._admit)(frame)
        with speaking(self._language):
            welcome = await welcome_frame(self.registry, admission)
        session = ChatSession(
            admission,
            self.outbox.put,
            registry=self.registry,
            member=self.member,
            language=self._language,
        )
        session.open()
        self.session = session
        self.outbox.put(welcome)
        self._spawn(self._recheck(session))
        self.registry.begin_recovery()
        for generation, after in frame.resume:
            try:
                await self._room()
                await session.handle(frames.GenResume(gen=generation, after=after))
            except ChatError as error:
                self._say(error, str(generation))

    def _admit(self, frame: frames.Hello) -> Admission:
        """Who this is. Uses the database."""
        host = str(counted_scope_address(self.scope) or "")
        if frame.handover:
            if origin_of(self.scope) is not Origin.OWN:
                raise ChatError("origin_not_allowed")
            return admit_by_handover(self.scope.get("cookies", {}), frame.handover, host=host)
        if frame.site:
            return admit_to_site(
                site_key=frame.site,
                origin=origin_header(self.scope),
                token=frame.token,
                user_jwt=frame.user_jwt,
                host=host,
            )
        origin = origin_of(self.scope)
        if origin is Origin.FOREIGN:
            log.warning(
                "A page of another site tried to use the chat; if it is yours, make it a site in "
                "the admin, or add its origin to CSRF_TRUSTED_ORIGINS."
            )
            raise ChatError("origin_not_allowed")
        known = visitor_of_scope(self.scope) if origin is Origin.OWN else None
        admission = admit_to_our_page(known, frame.token or load_test_token(self.scope))
        return replace(admission, visitor=replace(admission.visitor, host=host))
