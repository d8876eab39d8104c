"""An instance: one sequence of the shared context, and the answer it is busy with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import StrEnum

from ai_model.engine.events import EngineEvent
from ai_model.engine.request import EngineRequest
from ai_model.engine.sampler import Sampler
from ai_model.engine.snapshot import InstanceSnapshot
from ai_model.engine.text_stream import TextStream

Listener = Callable[[EngineEvent], None]


class Phase(StrEnum):
    """What an instance is doing."""

    IDLE = "idle"
    PREFILL = "prefill"
    DECODE = "decode"


class Answer:
    """The running state of one request."""

    def __init__(
        self, request: EngineRequest, listener: Listener, sampler: Sampler, stream: TextStream
    ) -> None:
        self.request = request
        self.listener = listener
        self.sampler = sampler
        self.stream = stream
        self.to_read = request.prompt.tokens + request.produced
        """Everything that must be in the KV cache before the next token can be chosen."""
        self.generated: list[int] = list(request.produced)
        self.text = ""
        self.num_cached = 0
        self.next_token: int | None = None
        self.due = 0.0
        self.started = time.monotonic()
        self.first_token_at: float | None = None


class Instance:
    """One place in the pool. ``tokens`` is what its sequence holds in the KV cache, idle or not.

    Written by the engine's thread only; other threads may read single attributes.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.tokens: list[int] = []
        self.num_shared = 0
        """The cells of so many tokens at the beginning may belong to other sequences as well."""
        self.upcoming: tuple[int, ...] = ()
        """What the conversation surely goes on with: to be read in idle time."""
        self.conversation = ""
        self.visitor = ""
        self.answer: Answer | None = None
        self.since = time.monotonic()

    def forget(self) -> None:
        """The KV cells are gone: a running answer reads all of it again and goes on behind."""
        self.tokens = []
        self.num_shared = 0
        self.upcoming = ()
        if self.answer is not None:
            self.answer.to_read = (*self.answer.request.prompt.tokens, *self.answer.generated)
            self.answer.next_token = None

    @property
    def phase(self) -> Phase:
        """What this instance is doing now."""
        answer = self.answer
        if answer is None:
            return Phase.IDLE
        return Phase.PREFILL if answer.next_token is None else Phase.DECODE

    def snapshot(self, *, kv_bytes_per_token: int, now: float) -> InstanceSnapshot:
        """Return what this instance looks like; called by any thread."""
        answer = self.answer
        num_kv_tokens = len(self.tokens)
        first_token_at = answer.first_token_at if answer is not None else None
        num_generated = len(answer.generated) if answer is not None else 0
        num_new = num_generated - len(answer.request.produced) if answer is not None else 0
        decoding_s = now - first_token_at if first_token_at is not None else 0.0
        return InstanceSnapshot(
            index=self.index,
            state=self.phase if answer is not None else Phase.IDLE,
            request_id=answer.request.id if answer is not None else "",
            conversation=self.conversation,
            num_prompt=len(answer.to_read) if answer is not None else 0,
            num_prompt_done=min(num_kv_tokens, len(answer.to_read)) if answer is not None else 0,
            num_generated=num_generated,
            tok_s=num_new / decoding_s if decoding_s > 0 else 0.0,
            num_kv_tokens=num_kv_tokens,
            kv_bytes=num_kv_tokens * kv_bytes_per_token,
            since_s=now - self.since,
        )

    @property
    def num_unread(self) -> int:
        """Prompt tokens still to be read."""
        return 0 if self.answer is None else len(self.answer.to_read) - len(self.tokens)

    def common_prefix(self, tokens: Sequence[int]) -> int:
        """Return how many of ``tokens`` this instance already holds, from the start."""
        return common_prefix(self.tokens, tokens)


def common_prefix(held: Sequence[int], wanted: Sequence[int]) -> int:
    """Return how many tokens two sequences have in common from the start."""
    count = 0
    for left, right in zip(held, wanted, strict=False):
        if left != right:
            break
        count += 1
    return count
