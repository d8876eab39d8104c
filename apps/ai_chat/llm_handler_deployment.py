"""The Python door for synchronous code: ask a question, get the answer as a text.

It works in a Django view of the running server as well as in a plain script. The running pool is
used when there is one; otherwise a pool of its own is started in a thread and ended with the
process, or earlier by ``close``.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
import uuid
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, TypeVar

import psutil
from django.conf import settings

from ai_model.hardware import memory_limit_bytes
from ai_model.pool.client import PoolClient
from ai_model.pool.errors import PoolError
from ai_model.pool.status import PoolState, PoolStatus
from ai_model.prompt import ChatMessage
from apps.ai_chat import services
from apps.ai_chat.dialogue import Dialogue
from apps.ai_chat.errors import ChatError, visitor_text
from apps.ai_chat.exchange import TERMINAL, JsonFrame
from apps.ai_chat.local_pool import LocalPool
from apps.ai_chat.models import Conversation
from apps.ai_chat.progress_keeper import BEAT_S
from apps.ai_chat.relay import ending_of
from apps.ai_chat.services.named import named_conversation
from apps.ai_chat.visitor import Visitor, visitor_of_user

Result = TypeVar("Result")
MARGIN_S = 30.0
MAX_NAME_CHARS = 200
STATUS_TIMEOUT_S = 3.0
PRESSURE_LEVELS = ((95, "critical"), (90, "high"), (75, "medium"))


def generate_deployment_response(prompt: str, chat_session: Any = None, user: Any = None) -> str:
    """Answer ``prompt`` and return the text.

    ``chat_session`` is a Conversation or its id: its history is used, and question and answer are
    stored in it. With a ``user`` who is signed in it may also be any name of the caller's own, such
    as the key of a session: the conversation of that name is theirs and begins with the first
    question. Without one nothing is stored. ``user`` is a Django user; with ``chat_session`` they
    must own it. When no answer can be made, the text is the sentence a visitor would read, never an
    exception. Blocks; call it from a thread, not from a coroutine. Thread-safe.
    """
    try:
        if chat_session is None:
            answer = _Answer()
            _door.run(answer.make(_door, prompt, visitor="script"), _longest_wait_s())
            text, ending = answer.text, answer.ending
        else:
            text, ending = _ask_in_conversation(prompt, chat_session, user)
    except ChatError as error:
        return error.text
    except FutureTimeoutError:
        return visitor_text("deadline")
    if ending["type"] == "gen.error" and not text:
        return str(ending["text"])
    return text


def get_deployment_status() -> dict[str, Any]:
    """Return ``memory_pressure`` (low, medium, high, critical), ``available_memory_gb``,
    ``model_loaded`` and ``emergency_mode``. Never raises, never starts a pool. Thread-safe."""
    try:
        status = _door.run(_status(_door), STATUS_TIMEOUT_S)
    except (FutureTimeoutError, OSError):
        status = PoolStatus.down("timeout")
    available, level = _memory()
    # The pool's own measure knows the model and what other limits there are.
    level = status.memory.level or level
    return {
        "memory_pressure": level,
        "available_memory_gb": round(available / 2**30, 2),
        "model_loaded": status.state is PoolState.READY,
        "emergency_mode": level == "critical",
    }


def close() -> None:
    """End the door's thread, and its own pool if it had to start one. Idempotent."""
    _door.close()


class _Door:
    """An event loop in a thread of its own, and at most one pool of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._clients: dict[Path, PoolClient] = {}
        self._local: LocalPool | None = None

    def start(self, coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Run a coroutine in the door's loop."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="corral-door", daemon=True
                )
                self._thread.start()
                atexit.register(self.close)
            loop = self._loop
        return asyncio.run_coroutine_threadsafe(coroutine, loop)

    def run(self, coroutine: Coroutine[Any, Any, Result], timeout_s: float) -> Result:
        """Run a coroutine in the door's loop and wait for it."""
        future = self.start(coroutine)
        try:
            return future.result(timeout_s)
        except FutureTimeoutError:
            future.cancel()
            raise

    def client(self, socket_path: Path) -> PoolClient:
        """The client for a socket; only called in the door's loop."""
        if socket_path not in self._clients:
            self._clients[socket_path] = PoolClient(socket_path)
        return self._clients[socket_path]

    async def running_client(self) -> PoolClient:
        """The client of the running pool, else of our own, which is started when need be."""
        from apps.ai_pool import conf

        try:
            shared = self.client(conf.socket_path())
            if self._local is None:
                await shared.status(timeout_s=STATUS_TIMEOUT_S)
                return shared
        except conf.ImpossibleSetting as error:
            raise ChatError("no_model", reason=str(error)) from None
        except (PoolError, TimeoutError, OSError):
            if conf.is_pool_external():
                return shared
        if self._local is None:
            self._local = LocalPool()
        return self.client(await asyncio.to_thread(self._local.start))

    def close(self) -> None:
        """End everything the door started."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return

        async def end() -> None:
            for client in self._clients.values():
                await client.close()
            self._clients.clear()
            await loop.shutdown_asyncgens()

        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        if self._local is not None:
            self._local.close()
            self._local = None


_door = _Door()


class _Answer:
    """An answer that is being made in the door's loop, readable from the thread that waits."""

    def __init__(self) -> None:
        self.text = ""
        self.ending: JsonFrame = {"type": "gen.error", "code": "internal", "partial": False}

    async def make(
        self,
        door: _Door,
        prompt: str,
        *,
        visitor: str,
        earlier: tuple[ChatMessage, ...] = (),
        generation: uuid.UUID | None = None,
    ) -> None:
        """Ask and follow the answer to its end."""
        client = await door.running_client()
        dialogue = Dialogue(lambda: client, visitor=visitor, earlier=earlier)
        async for frame in dialogue.ask(prompt, generation):
            if frame["type"] == "gen.delta":
                self.text += frame["text"]
            if frame["type"] in TERMINAL:
                self.text = self.text[: frame.get("chars", len(self.text))]
                self.ending = frame


def _ask_in_conversation(prompt: str, chat_session: Any, user: Any) -> tuple[str, JsonFrame]:
    visitor = _owner(chat_session, user)
    conversation_id = _conversation_id(chat_session, visitor, prompt)
    sent = services.send_message(
        visitor=visitor,
        cid=uuid.uuid4(),
        generation=uuid.uuid4(),
        text=prompt,
        conversation_id=conversation_id,
    )
    messages = services.prompt_messages(answer_id=sent.answer)
    answer = _Answer()
    making = answer.make(
        _door,
        prompt,
        visitor=visitor.pool_key,
        earlier=messages[1:-1],
        generation=sent.generation,
    )
    # The database is used in this thread only: the caller may be inside a transaction.
    try:
        _wait(_door.start(making), answer, sent.answer)
    except FutureTimeoutError:
        answer.ending = answer.ending | {"code": "deadline", "partial": bool(answer.text)}
        raise
    finally:
        ending = ending_of(answer.ending)
        services.save_answer(answer_id=sent.answer, text=answer.text, ending=ending)
    return answer.text, answer.ending


def _conversation_id(chat_session: Any, visitor: Visitor, prompt: str) -> uuid.UUID:
    if isinstance(chat_session, Conversation):
        return chat_session.id
    try:
        return uuid.UUID(str(chat_session))
    except ValueError:
        name = str(chat_session)
    # A name means something for somebody in particular only.
    if visitor.user_id is None or not 0 < len(name) <= MAX_NAME_CHARS:
        raise ChatError("not_found")
    return named_conversation(visitor=visitor, name=name, text=prompt)


def _wait(future: Future[None], answer: _Answer, answer_id: uuid.UUID) -> None:
    """Wait for the answer and keep its row alive meanwhile."""
    deadline = time.monotonic() + _longest_wait_s()
    while True:
        try:
            return future.result(BEAT_S)
        except FutureTimeoutError:
            # The coroutine may have failed with a timeout of its own.
            if future.done() or time.monotonic() > deadline:
                future.cancel()
                raise
            services.save_progress({answer_id: answer.text})


def _owner(chat_session: Any, user: Any) -> Visitor:
    """Who asks. A signed-in user acts for themselves; without one the caller is trusted code that
    acts for the owner of the conversation."""
    if user is not None and getattr(user, "is_authenticated", False):
        return visitor_of_user(user)
    if isinstance(chat_session, Conversation):
        return Visitor(key=chat_session.visitor, user_id=chat_session.user_id)
    try:
        found = Conversation.objects.filter(id=uuid.UUID(str(chat_session))).first()
    except ValueError:
        found = None
    if found is None:
        raise ChatError("not_found")
    return Visitor(key=found.visitor, user_id=found.user_id)


async def _status(door: _Door) -> PoolStatus:
    from apps.ai_pool import conf

    try:
        path = conf.socket_path() if door._local is None else door._local.start()
        return await door.client(path).status(timeout_s=STATUS_TIMEOUT_S / 2)
    except (PoolError, TimeoutError, OSError, ChatError, conf.ImpossibleSetting) as error:
        return PoolStatus.down(str(error))


def _longest_wait_s() -> float:
    return float(settings.CORRAL_TIMEOUT_MS + settings.CORRAL_TOTAL_TIMEOUT_MS) / 1000 + MARGIN_S


def _memory() -> tuple[int, str]:
    """Bytes that are free within this machine's or container's limit, and the pressure level."""
    memory = psutil.virtual_memory()
    limit = min(memory.total, memory_limit_bytes())
    available = max(0, min(memory.available, limit))
    used_percent = 100 * (1 - available / limit)
    level = next((name for least, name in PRESSURE_LEVELS if used_percent >= least), "low")
    return available, level
