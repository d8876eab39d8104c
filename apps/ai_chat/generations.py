"""All answers this web process makes: starts, finds and ends their relays.

There is one registry per event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings

from ai_model.pool.errors import NoModel
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolStatus
from ai_model.prompt import ChatMessage
from ai_model.request_id import current_request_id
from apps.ai_chat import approval, services
from apps.ai_chat.approval import Approval
from apps.ai_chat.asker import Asker
from apps.ai_chat.audience import Audience
from apps.ai_chat.banner_watch import BannerWatch
from apps.ai_chat.errors import ChatError
from apps.ai_chat.exchange import Exchange
from apps.ai_chat.models import Message
from apps.ai_chat.pool_watch import PoolWatch
from apps.ai_chat.progress_keeper import ProgressKeeper
from apps.ai_chat.relay import Answer, GenerationRelay
from apps.ai_chat.sampling import sampling_for
from apps.ai_chat.services import Sent
from apps.ai_chat.visitor import Visitor
from apps.ai_chat.warm_ups import WarmUps

if TYPE_CHECKING:
    from ai_model.pool.client import PoolClient

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_REMEMBERED = 32
"""Finished answers whose frames are kept for a late resume; older ones come from the database."""
MAX_PATIENCE_S = 60.0
RECOVERY_S = 20.0
NOT_PUBLIC = "The state of the pool is not shown here."


def pool_client() -> PoolClient:
    """The client of the pool for the running event loop; raises NoModel if there can be no pool."""
    from apps.ai_pool import connection, lifecycle

    if lifecycle.failure():
        raise NoModel(lifecycle.failure())
    return connection.get_pool_client()


async def pool_status() -> PoolStatus:
    """How the pool was doing within the last second; one that does not answer is ``down``."""
    from apps.ai_pool.lookout import get_lookout

    return (await get_lookout().look()).status


class GenerationRegistry:
    """The relays and sockets of one event loop; every task it starts ends with ``close``."""

    def __init__(self, connect: Callable[[], PoolClient] | None = None) -> None:
        self.audience = Audience()
        self.is_closing = False
        self.num_moves = 0
        """How often answers got another owner; whoever is about to start one compares it."""
        self.loop = asyncio.get_running_loop()
        self._connect = connect or (lambda: pool_client())
        self._relays: dict[uuid.UUID, GenerationRelay] = {}
        self._finished: OrderedDict[uuid.UUID, GenerationRelay] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._has_recovery = False
        self.pool_watch = PoolWatch(self.spawn)
        self.banner_watch = BannerWatch(self.audience, self.spawn)
        self.warm_ups = WarmUps()
        self._keeper = ProgressKeeper(self.spawn)

    def start(self, *, visitor: Visitor, sent: Sent) -> GenerationRelay:
        """Start the answer to a stored question; the one that runs already is returned as it is."""
        running = self.find(sent.generation)
        if running is not None:
            return running
        return self._start(_answer(visitor, sent), visitor.asker)

    def go_on(self, *, visitor: Visitor, sent: Sent, text: str) -> GenerationRelay:
        """Continue an answer that had its end, behind the ``text`` it has; ``sent`` carries the
        new generation id. The one that runs already is returned as it is."""
        running = self.find(sent.generation)
        if running is not None:
            return running
        answer = _answer(visitor, sent)
        return self._start(answer, visitor.asker, text=text, is_continued=True)

    def _start(
        self,
        answer: Answer,
        asker: Asker,
        *,
        text: str = "",
        is_adopted: bool = False,
        is_continued: bool = False,
    ) -> GenerationRelay:
        exchange = Exchange(
            str(answer.generation),
            self._connect,
            patience_s=min(settings.CORRAL_TIMEOUT_MS / 1000, MAX_PATIENCE_S),
            is_follower=is_adopted,
            text=text,
        )
        relay = GenerationRelay(
            answer,
            exchange,
            self.audience.send,
            self._keeper,
            is_adopted=is_adopted,
            is_continued=is_continued,
        )
        self._relays[answer.generation] = relay
        relay.begin()
        self.spawn(self._run(relay, asker))
        return relay

    async def _run(self, relay: GenerationRelay, asker: Asker) -> None:
        answer = relay.answer
        # The task has a context of its own: every line of the log that it writes says for whom.
        current_request_id.set(answer.request_id)
        try:
            await self._answer(relay, asker)
        except Message.DoesNotExist:
            log.info("A question was deleted before it was answered.")
        except Exception:
            log.exception("An answer could not be started.")
            await relay.fail("internal")
        finally:
            self._relays.pop(answer.generation, None)
            relay.is_looked_up.set()
            relay.ended.set()
            if relay.is_finished:
                self._finished[answer.generation] = relay
                while len(self._finished) > MAX_REMEMBERED:
                    self._finished.popitem(last=False)

    async def _answer(self, relay: GenerationRelay, asker: Asker) -> None:
        answer = relay.answer
        is_new = not (relay.is_adopted or relay.is_continued)
        # In one go: each visit of the database opens and closes a connection.
        # The pool is asked meanwhile, and not waited for by those whom it has nothing to say.
        status = self._own(self.loop.create_task(pool_status()))
        look_up = database_sync_to_async(_look_up)
        found, messages = await look_up(answer.message, is_new=is_new)
        relay.is_looked_up.set()
        if found.text is not None:
            relay.remark("approved")
            await relay.answer_at_once(found.text)
            return
        if found.near:
            # Offered in any case, so that they are there when the model is not.
            relay.remark("did_you_mean", items=list(found.near))
        request = PoolRequest(
            generation=str(answer.generation),
            conversation=str(answer.conversation),
            visitor=asker.visitor,
            address=asker.address,
            priority=asker.priority,
            request_id=answer.request_id,
            messages=messages,
            produced_text=relay.exchange.text if relay.is_continued else "",
            sampling=sampling_for(await status),
            meta={"message": str(answer.message), "conversation": str(answer.conversation)},
        )
        await relay.run(request)

    async def answer_command(self, *, visitor: Visitor, sent: Sent) -> None:
        """Answer ``/pool`` without the model: three lines as an ordinary, stored answer."""
        text = NOT_PUBLIC
        if settings.CORRAL_POOL_PUBLIC or visitor.is_staff:
            from apps.ai_pool.services import wait_words

            status = await pool_status()
            text = "\n".join(filter(None, (status.as_text(), wait_words(status))))
        exchange = Exchange(str(sent.generation), self._connect, patience_s=0)
        relay = GenerationRelay(_answer(visitor, sent), exchange, self.audience.send, self._keeper)
        relay.begin()
        await relay.answer_at_once(text)

    def move(self, source: str, target: str) -> None:
        """Answers of one visitor are the other's from now on: somebody signed in."""
        self.num_moves += 1
        for relay in (*self._relays.values(), *self._finished.values()):
            if relay.answer.visitor_key == source:
                relay.answer = replace(relay.answer, visitor_key=target)

    def find(self, generation: uuid.UUID) -> GenerationRelay | None:
        """The relay of a running answer."""
        return self._relays.get(generation)

    def recall(self, generation: uuid.UUID) -> GenerationRelay | None:
        """The relay of a running answer, or of one that ended a short time ago."""
        return self._relays.get(generation) or self._finished.get(generation)

    async def stop(self, generation: uuid.UUID, seen: int | None = None) -> bool:
        """Stop a running answer; False if this process does not make it."""
        relay = self.find(generation)
        if relay is None:
            return False
        await relay.exchange.stop(seen)
        return True

    # Answers left behind by a process that is gone

    def begin_recovery(self) -> None:
        """Look after answers of dead web processes from now on; called with every hello."""
        if not self.is_closing:
            self.banner_watch.begin()
        if not self._has_recovery and not self.is_closing:
            self._has_recovery = True
            self.spawn(self._recover_for_ever())

    async def _recover_for_ever(self) -> None:
        while True:
            try:
                await self.recover()
            except Exception as error:
                log.warning("Looking for interrupted answers failed (%s).", type(error).__name__)
            await asyncio.sleep(RECOVERY_S)

    async def recover(self) -> int:
        """Follow every answer in the making that nobody here makes; returns how many."""
        rows = await database_sync_to_async(services.streaming_answers)(
            excluding=tuple(self._relays)
        )
        for row, visitor_key in rows:
            self.adopt(row, visitor_key)
        return len(rows)

    def adopt(self, row: Message, visitor_key: str) -> GenerationRelay | None:
        """Follow an answer that another process began: from the pool's log if the pool knows it;
        otherwise it ends as interrupted once that process gives no sign of life."""
        if row.generation is None or self.is_closing:
            return None
        running = self.recall(row.generation)
        if running is not None:
            return running
        answer = Answer(
            generation=row.generation,
            conversation=row.conversation_id,
            message=row.id,
            visitor_key=visitor_key,
        )
        pool_key = Visitor(key=visitor_key).pool_key
        return self._start(answer, Asker(pool_key), text=row.text, is_adopted=True)

    # Ownership of tasks

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task that ``close`` ends."""
        # An empty context: the task outlives the socket that caused it, and must not hold on to
        # that socket's database thread.
        return self._own(self.loop.create_task(coroutine, context=contextvars.Context()))

    def _own(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_report)
        return task

    def finish_anyway(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Wait for what must not end half-way when the socket that asked for it is gone."""
        # In the caller's context: it reads and writes the database where the caller does.
        return asyncio.shield(self._own(self.loop.create_task(coroutine)))

    async def close(self) -> None:
        """Say good-bye on every socket and end every task; idempotent."""
        self.is_closing = True
        for member in self.audience.members():
            member.leave("draining")
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task


def _look_up(answer_id: uuid.UUID, *, is_new: bool) -> tuple[Approval, tuple[ChatMessage, ...]]:
    """What staff approved for a new question, and what the model is shown where they did not."""
    found = _approval_for(answer_id) if is_new else approval.NOTHING
    if found.text is not None:
        return found, ()
    return found, services.prompt_messages(answer_id=answer_id)


def _approval_for(answer_id: uuid.UUID) -> Approval:
    """A look-up that fails must not cost the visitor the answer."""
    try:
        return approval.find_approval(answer_id=answer_id)
    except Message.DoesNotExist:
        raise
    except Exception as error:
        log.warning("Approved answers could not be read (%s).", type(error).__name__)
        return approval.NOTHING


def _answer(visitor: Visitor, sent: Sent) -> Answer:
    return Answer(
        generation=sent.generation,
        conversation=sent.conversation,
        message=sent.answer,
        visitor_key=visitor.key,
        request_id=current_request_id.get(),
    )


def _report(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    # What a visitor must be told was told by whoever waited for it.
    if error is not None and not isinstance(error, ChatError):
        log.error("A task of the chat failed.", exc_info=error)


_registries: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, GenerationRegistry] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()


def get_registry() -> GenerationRegistry:
    """The registry of the running event loop."""
    loop = asyncio.get_running_loop()
    with _lock:
        registry = _registries.get(loop)
        if registry is None:
            registry = _registries[loop] = GenerationRegistry()
        return registry


async def close_current_registry() -> None:
    """End everything the chat runs in this event loop."""
    with _lock:
        registry = _registries.pop(asyncio.get_running_loop(), None)
    if registry is not None:
        await registry.close()


def open_registries() -> list[GenerationRegistry]:
    """Those of this process, one for each event loop that serves chats. Thread-safe."""
    with _lock:
        return [registry for registry in _registries.values() if not registry.is_closing]


def stop_everywhere(generation: uuid.UUID) -> None:
    """Stop an answer from any thread; an answer this process does not make is left alone."""
    for registry in open_registries():
        with suppress(RuntimeError):
            asyncio.run_coroutine_threadsafe(registry.stop(generation), registry.loop)


def tell_everywhere(visitor_key: str, frame: dict[str, Any]) -> None:
    """Send a frame to every open tab of a visitor in this process, from any thread."""
    for registry in open_registries():
        with suppress(RuntimeError):
            registry.loop.call_soon_threadsafe(registry.audience.send, visitor_key, frame)


def move_everywhere(source: str, target: str) -> None:
    """Running answers of one visitor are the other's from now on, from any thread."""
    for registry in open_registries():
        with suppress(RuntimeError):
            registry.loop.call_soon_threadsafe(registry.move, source, target)


def dismiss_everywhere(visitor_key: str, code: str, *, session_key: str | None = None) -> None:
    """Close a visitor's lines in this process with an error, from any thread; with a
    ``session_key`` those of that login only."""
    for registry in open_registries():
        dismiss = partial(registry.audience.dismiss, visitor_key, code, session_key=session_key)
        with suppress(RuntimeError):
            registry.loop.call_soon_threadsafe(dismiss)


def require_open(registry: GenerationRegistry) -> None:
    """Raise ``draining`` once the server is going down."""
    if registry.is_closing:
        raise ChatError("draining", retry_after_s=5)
