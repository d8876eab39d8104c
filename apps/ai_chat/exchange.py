"""One question and its answer, from submission to the last frame, whatever happens to the pool.

It yields the frames of ``chat.v1`` without ``seq``: the caller numbers them. When the pool process
dies, the question is submitted again together with the tokens produced so far, so that the answer
goes on behind the text already shown. The terminal chat, the socket and the Python door share it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ai_model.pool.errors import PoolError, PoolUnavailable, UnknownGeneration
from ai_model.pool.request import PoolRequest
from apps.ai_chat.errors import is_retryable, visitor_text

if TYPE_CHECKING:
    from ai_model.pool.client import PoolClient

log = logging.getLogger(__name__)

JsonFrame = dict[str, Any]
TERMINAL = frozenset({"gen.done", "gen.error"})
DURABLE = TERMINAL | {"gen.created", "gen.started", "gen.notice", "gen.delta", "gen.block"}
_AT_WORK = frozenset({"gen.started", "gen.progress", "gen.delta"})
MAX_RESTARTS = 2
"""Pools that may die while they work on this answer."""
MAX_ACCEPTED = 8
"""Pools that may take it at all: what kills a pool before it says a word must end somewhere."""
CALL_TIMEOUT_S = 2.0
"""Short: calls are repeated until the patience ends, and the visitor is told meanwhile."""
_PAUSES_S = (0.1, 0.2, 0.5, 1.0)


class Exchange:
    """One generation. Owned by one task, which iterates ``frames``; ``stop`` may come from others
    of the same event loop."""

    def __init__(
        self,
        generation: str,
        connect: Callable[[], PoolClient],
        *,
        patience_s: float,
        is_follower: bool = False,
        text: str = "",
    ) -> None:
        """``connect`` returns the pool's client; ``patience_s`` bounds every wait for a pool that
        is away. ``text`` is what there is of the answer already. A follower does not submit: an
        earlier process did, and had stored this text. Who is none goes on behind the text."""
        self.generation = generation
        self.text = text
        self.tokens: tuple[int, ...] = ()
        self.odds: list[Any] = []
        """How likely each token was, as the pool's frames tell it, if the request asks for it."""
        self.num_trimmed_turns = 0
        self.quality = ""
        """How well it was made, as far as the pool said: full or reduced."""
        self._connect = connect
        self._patience_s = patience_s
        self._is_follower = is_follower
        self._has_all_tokens = not text
        self._num_restarts = 0
        self._num_accepted = 0
        self._has_started = False
        self._notices: list[JsonFrame] = []
        self._stop_seen: int | None = None
        self._stopped = asyncio.Event()

    @property
    def was_accepted(self) -> bool:
        """Whether a pool has taken it, and so may still know of it."""
        return self._is_follower or self._num_accepted > 0

    async def stop(self, seen: int | None = None) -> None:
        """End the answer, wherever it is; ``seen`` is how many characters its reader has."""
        self._stop_seen = seen
        self._stopped.set()
        # A pool that is away cannot be told; the loop in ``frames`` sees the flag then.
        with suppress(PoolError, TimeoutError, OSError):
            await self._connect().stop(self.generation, seen=seen, timeout_s=CALL_TIMEOUT_S)

    async def acknowledge(self) -> None:
        """Tell the pool that the answer is stored and may be forgotten."""
        with suppress(PoolError, TimeoutError, OSError):
            await self._connect().acknowledge(self.generation)

    async def frames(self, request: PoolRequest) -> AsyncGenerator[JsonFrame, None]:
        """Yield the frames of the answer; the last one is ``gen.done`` or ``gen.error``.

        Raises UnknownGeneration when it only follows and the pool does not know the answer.
        """
        waiting_since: float | None = None
        num_pauses = 0
        while True:
            was_running = False
            try:
                if not self._is_follower:
                    await self._submit(request)
                    if self._num_restarts:
                        for notice in self._noted({"code": "retried"}):
                            yield notice
                async for frame in self._subscribed():
                    waiting_since, num_pauses = None, 0
                    # Only who was at work can be the reason for which a pool died.
                    was_running = was_running or frame["type"] in _AT_WORK
                    yield frame
                    if frame["type"] in TERMINAL:
                        return
                raise PoolAway
            except UnknownGeneration:
                if self._is_follower:
                    raise
                code = "pool_lost"
            except (PoolUnavailable, PoolAway, TimeoutError, OSError):
                code = "pool_lost"
            except PoolError as error:
                code = error.code
                if code != "model_loading":
                    text = error.text if code == "paused" else ""
                    yield self._error(code, error.retry_after_s, text)
                    return
            # Whoever mirrored tokens can go on with the answer in another pool process.
            if self.tokens and self._has_all_tokens:
                self._is_follower = False
            if was_running:
                self._num_restarts += 1
            if self._num_restarts > MAX_RESTARTS or self._num_accepted > MAX_ACCEPTED:
                yield self._error("pool_lost")
                return
            now = time.monotonic()
            if waiting_since is None:
                waiting_since = now
                yield {
                    "type": "gen.progress",
                    "gen": self.generation,
                    "phase": "load",
                    "done": 0,
                    "total": 0,
                    "cached": 0,
                }
            if self._stopped.is_set():
                yield self._stopped_without_pool()
                return
            if now - waiting_since > self._patience_s:
                yield self._error(code)
                return
            pause = _PAUSES_S[min(num_pauses, len(_PAUSES_S) - 1)]
            num_pauses += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), pause)

    async def _submit(self, request: PoolRequest) -> None:
        request = replace(
            request,
            produced=self.tokens,
            produced_text=self.text,
            # It was promised an answer: a new pool must not refuse it for a line that is full.
            is_resumed=self._num_accepted > 0,
        )
        await self._connect().submit(request, timeout_s=CALL_TIMEOUT_S)
        self._num_accepted += 1
        if self._stopped.is_set():
            seen = self._stop_seen
            await self._connect().stop(self.generation, seen=seen, timeout_s=CALL_TIMEOUT_S)

    async def _subscribed(self) -> AsyncGenerator[JsonFrame, None]:
        """The pool's frames from the start of its log, without what was yielded already."""
        replay = Replay(self.text, self.tokens)
        async with aclosing(self._connect().subscribe(self.generation, after=0)) as stream:
            async for frame in stream:
                kind = frame.get("type")
                if kind == "gen.delta":
                    start = len(self.text)
                    replay.add(frame)
                    self.tokens = replay.tokens
                    self._take_odds(frame, num_seen=replay.num_seen_tokens)
                    self._has_all_tokens = self._has_all_tokens or replay.has_caught_up
                    if len(replay.text) > start:
                        self.text = replay.text
                        yield {
                            "type": kind,
                            "gen": self.generation,
                            "off": start,
                            "text": self.text[start:],
                        }
                elif kind == "gen.done":
                    if frame.get("reason") == "shutdown" and not self._stopped.is_set():
                        # The pool went down in order; the next one goes on from here.
                        raise PoolAway
                    yield self._done(frame)
                elif kind == "gen.error":
                    code = str(frame.get("code", "internal"))
                    if code == "pool_lost":
                        raise PoolAway
                    yield self._error(code, frame.get("retry_after_s"))
                elif kind == "gen.started":
                    self._note_quality(frame)
                    if not self._has_started:
                        self._has_started = True
                        yield _without_private(frame)
                    if self.quality == "reduced":
                        what = str(frame.get("reduced") or "context")
                        for notice in self._noted({"code": "reduced", "what": what}):
                            yield notice
                elif kind == "gen.notice":
                    if frame.get("code") == "context_trimmed":
                        self.num_trimmed_turns = int(frame.get("turns") or 0)
                    for notice in self._noted(frame):
                        yield notice
                elif kind in ("gen.queue", "gen.progress"):
                    yield _without_private(frame)

    def _take_odds(self, frame: JsonFrame, *, num_seen: int) -> None:
        """Keep the odds in a delta that are new; ``num_seen`` tokens of its log end with it.

        A pool that goes on behind another one's tokens tells them again without their odds.
        """
        odds = frame.get("odds", ())
        num_new = num_seen - len(self.odds)
        if odds and num_new > 0:
            self.odds += odds[-num_new:]

    def _noted(self, notice: JsonFrame) -> list[JsonFrame]:
        """The notice as a frame, or nothing if the reader has it: every pool says it again."""
        notice = _without_private({**notice, "type": "gen.notice", "gen": self.generation})
        known = [item for item in self._notices if item["code"] == notice["code"]]
        if notice in known or (known and notice["code"] == "reduced"):
            return []
        self._notices.append(notice)
        return [notice]

    def _note_quality(self, frame: JsonFrame) -> None:
        quality = frame.get("quality")
        # Once reduced, always reduced: a part of the answer was.
        if quality in ("full", "reduced") and self.quality != "reduced":
            self.quality = quality

    def _done(self, frame: JsonFrame) -> JsonFrame:
        self._note_quality(frame)
        num_chars = frame.get("chars")
        if isinstance(num_chars, int) and num_chars < len(self.text):
            # The reader stopped earlier than the model: what they never saw is not kept.
            self.text = self.text[:num_chars]
        return _without_private(frame) | {"gen": self.generation} | self._checksum()

    def _stopped_without_pool(self) -> JsonFrame:
        if self._stop_seen is not None:
            self.text = self.text[: self._stop_seen]
        return {
            "type": "gen.done",
            "gen": self.generation,
            "reason": "user_stop",
            **self._checksum(),
        }

    def _checksum(self) -> JsonFrame:
        return {"chars": len(self.text), "sha256_8": checksum(self.text)}

    def _error(self, code: str, retry_after_s: float | None = None, text: str = "") -> JsonFrame:
        """The last frame of a failed answer; ``text`` are the owner's own words, if any."""
        frame = {
            "type": "gen.error",
            "gen": self.generation,
            "code": code,
            "text": text or visitor_text(code),
            "retryable": is_retryable(code),
            "partial": bool(self.text),
        }
        if retry_after_s is not None:
            frame["retry_after_s"] = retry_after_s
        return frame


class PoolAway(Exception):
    """The frames of the pool ended before the answer did."""


class Replay:
    """Reads a pool's log from its start and knows when it gets beyond what was mirrored before.

    The log of a new pool process either starts with one delta that repeats everything produced
    earlier, or directly behind it; both come out the same here.
    """

    def __init__(self, text: str, tokens: tuple[int, ...]) -> None:
        self._text, self._tokens = text, tokens
        self._seen_text, self._seen_tokens = "", ()  # type: tuple[str, tuple[int, ...]]

    def add(self, frame: JsonFrame) -> None:
        """Take the next delta."""
        offset = int(frame["off"])
        if offset > len(self._seen_text):
            self._seen_text, self._seen_tokens = self._text[:offset], self._tokens
        self._seen_text += frame["text"]
        self._seen_tokens += tuple(frame.get("tokens", ()))

    @property
    def num_seen_tokens(self) -> int:
        """How many tokens the log has told so far, those it left out included."""
        return len(self._seen_tokens)

    @property
    def has_caught_up(self) -> bool:
        """True once the log got at least as far as the mirror."""
        return len(self._seen_text) >= len(self._text)

    @property
    def text(self) -> str:
        """The longer one of the mirrored text and the log's."""
        return max(self._text, self._seen_text, key=len)

    @property
    def tokens(self) -> tuple[int, ...]:
        """The longer one of the mirrored tokens and the log's."""
        return max(self._tokens, self._seen_tokens, key=len)


def checksum(text: str) -> str:
    """What ``gen.done`` carries so that a browser can tell whether it shows the right text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _without_private(frame: JsonFrame) -> JsonFrame:
    shown = {name: value for name, value in frame.items() if name not in ("seq", "tokens")}
    return {"type": frame["type"], "gen": frame.get("gen"), **shown}
