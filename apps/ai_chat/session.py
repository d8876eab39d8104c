"""One visitor's conversation with the server, whatever line its frames come and go by.

The socket and the interface for lines without sockets both hold a ``ChatSession``; every rule about
the order and the effect of frames is here, and what is stored is the business of ``services``.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from channels.db import database_sync_to_async

from apps.ai_chat import frames, services
from apps.ai_chat.audience import Member
from apps.ai_chat.entrance import Admission, identified, speaking
from apps.ai_chat.errors import ChatError
from apps.ai_chat.frames import Frame
from apps.ai_chat.generations import GenerationRegistry, get_registry, require_open
from apps.ai_chat.models import Message
from apps.ai_chat.pool_watch import Watcher
from apps.ai_chat.quota import count_refusal, settle_at_end, take_share, take_share_once
from apps.ai_chat.relay import GenerationRelay, stored_snapshot
from apps.ai_chat.representation import conversation_json, message_frame
from apps.ai_chat.spoken import spoken
from apps.ai_chat.visitor import Visitor
from apps.ai_pool.sight import session_sees_everything

JsonFrame = dict[str, Any]
RECHECK_S = 60.0
"""How often a line is asked whether it may still be open."""
MAX_REPLAYED = 200
"""Frames that are sent again one by one; who missed more gets the whole in one."""


class Starter(Protocol):
    """One of the services that store something and prepare an answer."""

    def __call__(self, **values: Any) -> services.Sent: ...


class ChatSession:
    """Handles the frames of one visitor. Belongs to one event loop; one frame at a time.

    ``put`` takes the frames that answer; what concerns all tabs of the visitor goes through the
    audience, and to this session through ``member`` if it has one.
    """

    def __init__(
        self,
        admission: Admission,
        put: Callable[[JsonFrame], None],
        *,
        registry: GenerationRegistry | None = None,
        member: Member | None = None,
        language: str = "",
    ) -> None:
        self.admission = admission
        self.language = language
        self._put = put
        self._registry = registry or get_registry()
        self._member = member
        if member is not None:
            member.language = language
        self._watcher = Watcher(put)
        self._owes_token = admission.is_new
        self._handlers: dict[type[Frame], Callable[[Any], Awaitable[None]]] = {
            frames.MessageSend: self._message_send,
            frames.MessageEdit: self._message_edit,
            frames.BranchSelect: self._branch_select,
            frames.GenRegenerate: self._regenerate,
            frames.GenContinue: self._continue,
            frames.GenStop: self._stop,
            frames.GenResume: self._resume,
            frames.Read: self._read,
            frames.GiveFeedback: self._feedback,
            frames.Identify: self._identify,
            frames.Warm: self._warm,
            frames.PoolWatch: self._pool_watch,
            frames.PoolUnwatch: self._pool_unwatch,
            frames.Ping: self._ping,
        }

    @property
    def visitor(self) -> Visitor:
        """Who it is now; ``identify`` changes it."""
        return self.admission.visitor

    def open(self) -> None:
        """Join the visitor's other tabs, if there is somebody to join."""
        if self._member is not None:
            self._member.session_key = self.visitor.session_key
            self._registry.audience.join(self.visitor.key, self._member)

    def close(self) -> None:
        """Leave the other tabs; answers go on. Idempotent."""
        self._registry.pool_watch.remove(self._watcher)
        if self._member is not None:
            self._registry.audience.part(self.visitor.key, self._member)

    async def handle(self, frame: Frame) -> None:
        """Do what a frame asks for. Raises ChatError with what the visitor reads."""
        handler = self._handlers.get(type(frame))
        if handler is None:
            raise ChatError("second_hello")
        # A fresh word for who they are is what mends it.
        if not isinstance(frame, (frames.Identify, frames.Ping)):
            self._check_rights_end()
        with speaking(self.language):
            try:
                await handler(frame)
            except ChatError as error:
                count_refusal(error)
                raise

    # Questions

    async def _message_send(self, frame: frames.MessageSend) -> None:
        await self._ask(
            services.send_message,
            frame.cid,
            generation=frame.gen,
            text=frame.text,
            conversation_id=frame.conversation,
            parent_id=frame.parent,
            context=frame.context,
            language=self.language,
        )

    async def _message_edit(self, frame: frames.MessageEdit) -> None:
        await self._ask(
            services.edit_message,
            frame.cid,
            generation=frame.gen,
            text=frame.text,
            message_id=frame.message,
        )

    async def _ask(self, store: Starter, cid: uuid.UUID, **values: Any) -> None:
        """Store a question, acknowledge it and start its answer; never only half of that."""
        await self._check_welcome()
        await self._registry.finish_anyway(self._ask_now(store, cid, **values))

    async def _ask_now(self, store: Starter, cid: uuid.UUID, **values: Any) -> None:
        visitor, num_moves = self.visitor, self._registry.num_moves
        share = await take_share_once(visitor, cid)
        storing = database_sync_to_async(store)(visitor=visitor, cid=cid, **values)
        sent = await share.cover(storing)
        ack: JsonFrame = {
            "type": "message.ack",
            "cid": str(cid),
            "message": str(sent.message),
            "conversation": str(sent.conversation),
            "gen": str(sent.generation),
            "dup": sent.is_dup,
        }
        self._put(ack | await self._first_token())
        if sent.is_dup:
            await share.cancel()
            await self._resume(frames.GenResume(gen=sent.generation, after=0))
            return
        # Other tabs need the question before its answer, and all of them have to know when what
        # they show is hidden. The only tab has it already, and should not wait.
        has_others = self._registry.audience.has_others(visitor.key, self._member)
        is_only_tab = self._member is not None and not has_others
        is_told_later = is_only_tab and not sent.has_moved and not sent.is_command
        if not is_told_later:
            asked = sent.message if has_others else None
            await self._tell(sent.conversation, message=asked, has_moved=sent.has_moved)
        visitor = await self._owner_now(visitor, sent.conversation, num_moves)
        if sent.is_command:
            await share.settle(0)
            await self._registry.answer_command(visitor=visitor, sent=sent)
        else:
            relay = self._registry.start(visitor=visitor, sent=sent)
            self._registry.spawn(settle_at_end(share, relay))
            if is_told_later:
                self._registry.spawn(self._tell_behind(relay, sent.conversation))

    async def _first_token(self) -> JsonFrame:
        """A new visitor of a website gets a token once there is something to come back to."""
        if not self._owes_token:
            return {}
        token, token_exp = await database_sync_to_async(self.admission.mint)()
        self._owes_token = False
        return {"token": token, "token_exp": token_exp}

    # Answers

    async def _regenerate(self, frame: frames.GenRegenerate) -> None:
        await self._answer_again(services.regenerate, frame.gen, frame.message)

    async def _continue(self, frame: frames.GenContinue) -> None:
        await self._answer_again(services.continue_answer, frame.gen, frame.message)

    async def _answer_again(
        self, store: Starter, generation: uuid.UUID, message: uuid.UUID
    ) -> None:
        await self._check_welcome()
        await self._registry.finish_anyway(self._answer_again_now(store, generation, message))

    async def _answer_again_now(
        self, store: Starter, generation: uuid.UUID, message: uuid.UUID
    ) -> None:
        visitor, num_moves = self.visitor, self._registry.num_moves
        share = await take_share(visitor)
        storing = database_sync_to_async(store)(
            visitor=visitor, generation=generation, message_id=message
        )
        sent = await share.cover(storing)
        if sent.is_dup:
            await share.cancel()
            await self._resume(frames.GenResume(gen=sent.generation, after=0))
            return
        await self._tell(sent.conversation, has_moved=sent.has_moved or sent.is_continued)
        visitor = await self._owner_now(visitor, sent.conversation, num_moves)
        if sent.is_continued:
            relay = self._registry.go_on(visitor=visitor, sent=sent, text=sent.text)
        else:
            relay = self._registry.start(visitor=visitor, sent=sent)
        self._registry.spawn(settle_at_end(share, relay))

    async def _owner_now(
        self, visitor: Visitor, conversation_id: uuid.UUID, num_moves: int
    ) -> Visitor:
        """Whose the answer is that starts now: somebody may have signed in since ``num_moves``."""
        while self._registry.num_moves != num_moves:
            num_moves = self._registry.num_moves
            key = await database_sync_to_async(services.owner_key)(conversation_id)
            visitor = replace(visitor, key=key or visitor.key)
        return visitor

    async def _stop(self, frame: frames.GenStop) -> None:
        visitor = self.visitor
        relay = self._registry.find(frame.gen)
        if relay is None:
            row = await self._row_of(frame.gen)
            if row.state != Message.State.STREAMING:
                return
            relay = self._registry.adopt(row, visitor.key)
        if relay is None or relay.answer.visitor_key != visitor.key:
            raise ChatError("not_found")
        await relay.exchange.stop(frame.seen)

    async def _resume(self, frame: frames.GenResume) -> None:
        visitor = self.visitor
        relay = self._registry.recall(frame.gen)
        if relay is None:
            row = await self._row_of(frame.gen)
            if row.state != Message.State.STREAMING:
                self._put(stored_snapshot(row))
                return
            relay = self._registry.adopt(row, visitor.key)
        if relay is None or relay.answer.visitor_key != visitor.key:
            raise ChatError("not_found")
        # No await from here on: live frames must come behind the replayed ones.
        replay = relay.frames_after(frame.after)
        if replay is not None and len(replay) > MAX_REPLAYED:
            replay = None
        for item in [relay.snapshot()] if replay is None else replay:
            self._put(spoken(item, self.language))
        if relay.newest_waiting is not None:
            self._put(relay.newest_waiting)

    async def _row_of(self, generation: uuid.UUID) -> Message:
        find = database_sync_to_async(services.find_answer)
        return await find(visitor=self.visitor, generation=generation)

    # What is shown, seen and thought of

    async def _branch_select(self, frame: frames.BranchSelect) -> None:
        conversation = await database_sync_to_async(services.select_branch)(
            visitor=self.visitor, message_id=frame.message
        )
        await self._tell(conversation, has_moved=True)

    async def _read(self, frame: frames.Read) -> None:
        has_changed = await database_sync_to_async(services.mark_read)(
            visitor=self.visitor, conversation_id=frame.conversation, message_id=frame.message
        )
        if has_changed:
            await self._tell(frame.conversation)

    async def _feedback(self, frame: frames.GiveFeedback) -> None:
        def rate() -> JsonFrame:
            message = services.rate_answer(
                visitor=self.visitor,
                message_id=frame.message,
                value=frame.value,
                reason=frame.reason,
                comment=frame.comment,
            )
            return message_frame(message)

        self._send_to_all(await database_sync_to_async(rate)())

    async def _tell(
        self,
        conversation_id: uuid.UUID,
        *,
        message: uuid.UUID | None = None,
        has_moved: bool = False,
    ) -> None:
        """Tell all tabs how a conversation stands; a new question only the others.

        ``has_moved``: another branch is shown now, so the messages are to be read again.
        """

        def read() -> tuple[JsonFrame, JsonFrame | None]:
            conversation = services.get_conversation(
                visitor=self.visitor, conversation_id=conversation_id
            )
            frame = {
                "type": "conversation.updated",
                "conversation": conversation_json(conversation),
                **({"changed": "messages"} if has_moved else {}),
            }
            asked = None if message is None else Message.objects.filter(id=message).first()
            return frame, None if asked is None else message_frame(asked)

        try:
            frame, question = await database_sync_to_async(read)()
        except ChatError:
            # Deleted in another tab meanwhile, which has told everybody.
            return
        self._send_to_all(frame)
        if question is not None:
            self._registry.audience.send(self.visitor.key, question, but=self._member)

    async def _tell_behind(self, relay: GenerationRelay, conversation_id: uuid.UUID) -> None:
        """The same once it holds up nothing that is read for the answer."""
        await relay.is_looked_up.wait()
        await self._tell(conversation_id)

    def _send_to_all(self, frame: JsonFrame) -> None:
        """To every tab of the visitor, and to this line if it is none of them."""
        self._registry.audience.send(self.visitor.key, frame)
        if self._member is None:
            self._put(frame)

    # Who it is

    async def _identify(self, frame: frames.Identify) -> None:
        """From now on this is the user whom the website names; earlier chats come along."""
        before = self.visitor
        self.admission = await database_sync_to_async(identified)(self.admission, frame.user_jwt)
        after = self.visitor
        self._owes_token = False
        if before.key != after.key:
            self._registry.move(before.key, after.key)
            if self._member is not None:
                self._registry.audience.part(before.key, self._member)
                self._registry.audience.join(after.key, self._member)
            # Other tabs have not shown who they are; as nobody they must not read a user's chats.
            self._registry.audience.dismiss(before.key, "moved")
        self._put({"type": "identified", "visitor": after.pseudonym})

    async def check_rights(self) -> None:
        """Raise the ChatError that ends this line, if what was allowed with ``hello`` has ended."""
        self._check_rights_end()
        check = database_sync_to_async(services.check_welcome)
        try:
            await check(visitor=self.visitor, origin=self.admission.origin)
        except ChatError as error:
            # A site that is switched off can still be read.
            if error.problem.close_code is not None:
                raise

    def _check_rights_end(self) -> None:
        end = self.visitor.rights_end
        if end is not None and end <= time.time():
            raise ChatError("login_ended" if self.admission.origin else "handover_over")

    async def _check_welcome(self) -> None:
        """What was allowed with ``hello`` may have ended meanwhile."""
        require_open(self._registry)
        check = database_sync_to_async(services.check_welcome)
        await check(visitor=self.visitor, origin=self.admission.origin)

    # The pool and the line

    async def _warm(self, frame: frames.Warm) -> None:
        await self._registry.warm_ups.begin(self.visitor, frame.conversation)

    async def _pool_watch(self, frame: frames.PoolWatch) -> None:
        self._watcher.every_s = frame.every_ms / 1000
        self._watcher.is_staff = await session_sees_everything(self.visitor.session_key)
        self._registry.pool_watch.add(self._watcher)

    async def _pool_unwatch(self, frame: frames.PoolUnwatch) -> None:
        self._registry.pool_watch.remove(self._watcher)

    async def _ping(self, frame: frames.Ping) -> None:
        self._put({"type": "pong", "n": frame.n})
