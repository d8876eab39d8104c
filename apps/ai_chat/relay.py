"""One answer in the making, as this web process sees it: mirrored, shown to the tabs, stored."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async

from ai_model.pool.errors import UnknownGeneration
from ai_model.pool.request import PoolRequest
from apps.ai_chat import services
from apps.ai_chat.block_splitter import Block, BlockSplitter
from apps.ai_chat.end_line import log_end
from apps.ai_chat.errors import is_retryable, visitor_text
from apps.ai_chat.exchange import DURABLE, TERMINAL, Exchange, JsonFrame, checksum
from apps.ai_chat.markdown import blocks_of
from apps.ai_chat.models import Message
from apps.ai_chat.progress_keeper import ProgressKeeper
from apps.ai_chat.services import Ending
from apps.ai_chat.token_clock import TokenClock

log = logging.getLogger(__name__)

STORE_PAUSES_S = (0.2, 1.0, 3.0)
LOOK_S = 0.5
STALL_AGAIN_S = 5.0
"""While an answer is stuck, its reader hears of it this often."""

STATES = {
    "stop": Message.State.COMPLETE,
    "length": Message.State.COMPLETE,
    "user_stop": Message.State.STOPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Which answer it is and whose."""

    generation: uuid.UUID
    conversation: uuid.UUID
    message: uuid.UUID
    visitor_key: str
    request_id: str = ""
    """Id of the request or socket that asked, for the log."""


class GenerationRelay:
    """Runs one exchange in a task of its own. Belongs to one event loop."""

    def __init__(
        self,
        answer: Answer,
        exchange: Exchange,
        send: Callable[[str, JsonFrame], None],
        keeper: ProgressKeeper,
        *,
        is_adopted: bool = False,
        is_continued: bool = False,
    ) -> None:
        """``send(visitor_key, frame)`` shows a frame to the visitor's open sockets, and ``keeper``
        keeps the text while it grows. An adopted answer was begun by another process, which
        numbered its frames differently; a continued one had an end, and goes on under a new id
        behind the text it has."""
        self.answer = answer
        self.is_adopted = is_adopted
        self.is_continued = is_continued
        self.exchange = exchange
        self.log: list[JsonFrame] = []
        self.newest_waiting: JsonFrame | None = None
        """The newest frame without a number: the place in the queue, or the reading progress."""
        self.is_finished = False
        self.is_looked_up = asyncio.Event()
        """Set once nothing has to be read for it any more, so that others may read."""
        self.ended = asyncio.Event()
        """Set once nothing more comes, whether or not the answer could be stored."""
        self._splitter = BlockSplitter()
        self._clock = TokenClock()
        self._began_at = time.monotonic()
        self._send = send
        self._keeper = keeper

    def begin(self) -> None:
        """Announce the answer to the visitor's sockets, before anything can go wrong."""
        created = self._frame(
            "gen.created",
            message=str(self.answer.message),
            conversation=str(self.answer.conversation),
            created_ms=int(time.time() * 1000),
        )
        self._emit(created | ({"continues": True} if self.is_continued else {}))
        if self.exchange.text:
            self._show(self._frame("gen.delta", off=0, text=self.exchange.text))

    def remark(self, code: str, **fields: Any) -> None:
        """Tell the reader something about the answer that stays with it."""
        self._emit(self._frame("gen.notice", code=code, **fields))

    async def answer_at_once(self, text: str) -> None:
        """Give a whole answer that needs no model, and end."""
        self.exchange.text = text
        self._show(self._frame("gen.delta", off=0, text=text))
        done = self._frame("gen.done", reason="stop")
        await self.finish(done | {"chars": len(text), "sha256_8": checksum(text)})

    async def run(self, request: PoolRequest) -> None:
        """Follow the answer to its end and store it. Cancelled at shutdown; then what there is
        of the text is kept and the answer stays open for the next process."""
        keeper, answer_id = self._keeper, self.answer.message
        keeper.add(answer_id, lambda: self.exchange.text)
        watcher = asyncio.create_task(self._watch())
        try:
            async with aclosing(self.exchange.frames(request)) as frames:
                async for frame in frames:
                    if frame["type"] in TERMINAL:
                        keeper.drop(answer_id)
                        watcher.cancel()
                        if await self.finish(frame):
                            await self.exchange.acknowledge()
                    else:
                        self._clock.hear(frame, time.monotonic())
                        self._show(frame)
        except UnknownGeneration:
            # Our own signs of life must not be taken for those of who began the answer.
            keeper.drop(answer_id)
            await self._give_up()
        except asyncio.CancelledError:
            await asyncio.shield(keeper.save(answer_id, self.exchange.text))
            raise
        except Exception:
            log.exception("An answer failed in the web process.")
            keeper.drop(answer_id)
            await self.fail("internal")
        finally:
            keeper.drop(answer_id)
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher

    @property
    def num_written(self) -> int:
        """Tokens of the answer so far, as far as they are known; one without the model has none."""
        usage = (self.log[-1].get("usage") or {}) if self.log else {}
        return _whole(usage.get("completion")) or len(self.exchange.tokens)

    def frames_after(self, after: int) -> list[JsonFrame] | None:
        """The numbered frames behind ``after``, or None if there is a gap only a snapshot fills."""
        if self.is_adopted and after:
            return None
        return self.log[after:] if after <= len(self.log) else None

    def snapshot(self) -> JsonFrame:
        """The answer so far in one frame; of one that has ended, with its end."""
        frame = self._frame(
            "gen.snapshot",
            message=str(self.answer.message),
            conversation=str(self.answer.conversation),
            state="streaming",
            upto=len(self.log),
            text=self._splitter.text,
            blocks=[block.as_json() for block in self._splitter.blocks],
            notices=[item for item in self.log if item["type"] == "gen.notice"],
        )
        if not self.is_finished or self.log[-1]["type"] not in TERMINAL:
            return frame
        ending = ending_of(self.log[-1])
        return frame | _end_fields(self.exchange.text, ending.state, ending)

    def _frame(self, kind: str, **fields: Any) -> JsonFrame:
        return {"type": kind, "gen": str(self.answer.generation), **fields}

    def _show(self, frame: JsonFrame) -> None:
        """Emit a frame, and the blocks its text completes."""
        self._emit(frame)
        if frame["type"] == "gen.delta":
            self._emit_blocks(self._splitter.feed(frame["text"]))

    def _emit_blocks(self, blocks: list[Block]) -> None:
        for block in blocks:
            self._emit(self._frame("gen.block", **block.as_json()))

    def _emit(self, frame: JsonFrame) -> None:
        if frame["type"] in DURABLE:
            frame = {**frame, "seq": len(self.log) + 1}
            self.log.append(frame)
            self.newest_waiting = None
        else:
            self.newest_waiting = frame
        self._send(self.answer.visitor_key, frame)

    async def _watch(self) -> None:
        """Say so when the words stop coming although the pool is at work."""
        told_at: float | None = None
        has_told_slow = False
        while True:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            if not has_told_slow and self._clock.is_slow(now):
                has_told_slow = True
                self.remark("slow")
            stalled_s = self._clock.stalled_s(now)
            if stalled_s is None:
                told_at = None
            elif told_at is None or now - told_at >= STALL_AGAIN_S:
                told_at = now
                self._emit(self._frame("gen.stall", since_ms=round(stalled_s * 1000)))

    async def finish(self, frame: JsonFrame) -> bool:
        """Store the answer, then tell the sockets; True if it is stored."""
        is_stored = await self._store(frame)
        self._emit_blocks(self._splitter.clip(len(self.exchange.text)))
        self.is_finished = True
        self._emit(frame)
        self.ended.set()
        log_end(
            self.answer,
            frame,
            began_at=self._began_at,
            num_chars=len(self.exchange.text),
            is_stored=is_stored,
        )
        return is_stored

    async def fail(self, code: str) -> None:
        """End the answer with an error of the table; the text so far is kept."""
        await self.finish(
            self._frame(
                "gen.error",
                code=code,
                text=visitor_text(code),
                retryable=is_retryable(code),
                partial=bool(self.exchange.text),
            )
        )

    async def _store(self, frame: JsonFrame) -> bool:
        exchange = self.exchange
        ending = ending_of(
            frame, num_trimmed_turns=exchange.num_trimmed_turns, quality=exchange.quality
        )
        save: Callable[..., Awaitable[bool]] = database_sync_to_async(services.save_answer)
        for pause_s in (*STORE_PAUSES_S, None):
            try:
                await save(answer_id=self.answer.message, text=self.exchange.text, ending=ending)
                return True
            except Exception as error:
                log.warning("An answer could not be stored yet (%s).", type(error).__name__)
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        # The row stays open: the next process finds the whole answer in the pool.
        log.error("An answer could not be stored; the pool keeps it.")
        return False

    async def _give_up(self) -> None:
        """The pool does not know the answer: wait until no other process claims it, then end it
        with the text that was stored."""
        is_abandoned = database_sync_to_async(services.is_abandoned)
        for _ in range(int(services.STALE_AFTER.total_seconds()) + 2):
            if await is_abandoned(answer_id=self.answer.message):
                break
            await asyncio.sleep(1.0)
        else:
            return
        await self.fail("interrupted")


def ending_of(frame: JsonFrame, *, num_trimmed_turns: int = 0, quality: str = "") -> Ending:
    """What the database keeps of a terminal frame."""
    if frame["type"] == "gen.error":
        is_partial = bool(frame.get("partial"))
        state = Message.State.INTERRUPTED if is_partial else Message.State.FAILED
        if frame["code"] == "interrupted":
            state = Message.State.INTERRUPTED
        return Ending(
            state=state,
            error_code=str(frame["code"])[:32],
            num_trimmed_turns=num_trimmed_turns,
            quality=quality,
        )
    reason = str(frame.get("reason", "stop"))[:20]
    usage = frame.get("usage") or {}
    timing = frame.get("timing") or {}
    return Ending(
        state=STATES.get(reason, Message.State.INTERRUPTED),
        reason=reason,
        num_trimmed_turns=num_trimmed_turns,
        quality=quality,
        num_prompt_tokens=_whole(usage.get("prompt")),
        num_cached_tokens=_whole(usage.get("cached")),
        num_completion_tokens=_whole(usage.get("completion")),
        queue_ms=_whole(timing.get("queue_ms")),
        ttft_ms=_whole(timing.get("ttft_ms")),
        gen_ms=_whole(timing.get("gen_ms")),
        tok_s=timing.get("tok_s"),
    )


def stored_snapshot(row: Message) -> JsonFrame:
    """A finished answer in one frame, from its row."""
    notices = []
    if row.suggestions:
        notices.append({"code": "did_you_mean", "items": row.suggestions})
    if row.approved_answer_id is not None:
        notices.append({"code": "approved"})
    frame = {
        "type": "gen.snapshot",
        "gen": str(row.generation),
        "message": str(row.id),
        "conversation": str(row.conversation_id),
        "upto": 0,
        "text": row.text,
        "blocks": [block.as_json() for block in blocks_of(row.text)],
        "notices": [
            {"type": "gen.notice", "gen": str(row.generation), **notice} for notice in notices
        ],
    }
    return frame | _end_fields(row.text, row.state, row)


def _end_fields(text: str, state: str, ending: Ending | Message) -> JsonFrame:
    """What a snapshot says of the end of an answer."""
    return {
        "state": str(state),
        "chars": len(text),
        "sha256_8": checksum(text),
        "reason": ending.reason,
        "code": ending.error_code,
    }


def _whole(value: Any) -> int | None:
    return max(0, round(value)) if isinstance(value, (int, float)) else None
