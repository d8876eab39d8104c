"""What can go wrong between a web process and the pool.

PoolError
├── Refused               the pool does not take this request
│   ├── QueueFull         too many requests wait already
│   ├── InflightLimit     this visitor has too many questions open
│   ├── MemoryPressure    memory is too short for a new conversation
│   ├── Paused            the operator takes no questions at the moment
│   ├── NoModel           there is no model to answer with
│   └── TooLong           the request is larger than the pool can carry
├── UnknownGeneration     the pool has no such generation (or no longer)
├── PoolUnavailable       nobody answers at the socket, or it is shutting down
│   ├── ProtocolMismatch  the process there speaks another version
│   └── PoolLost          the connection broke in the middle of an answer
├── BadFrame              bytes that are not a valid frame
└── PoolStartError        the pool cannot be started here; the message says what to change

Every error has a ``code`` (one of the chat protocol's error codes where a visitor may see it), a
sentence, and ``retry_after_s`` where trying again makes sense. A refusal for want of room also says
which limit it was and how many requests wait.
"""

from __future__ import annotations

from enum import StrEnum


class RefusalReason(StrEnum):
    """Which limit a request met, for programs and for the books."""

    REQUESTS = "requests"
    """As many requests wait as may."""
    TOKENS = "tokens"
    """As much work waits as may."""
    WAIT = "wait"
    """The wait would be longer than anybody may wait."""
    VISITOR = "visitor"
    """The visitor has too many requests open."""
    ADDRESS = "address"
    """Too many requests are open from the visitor's block of addresses."""
    SHARE = "share"
    """Programs, or warm-ups, have taken all the places they may have."""
    CLOSED = "closed"
    """The pool takes nothing at the moment."""
    NO_MODEL = "no_model"
    MEMORY = "memory"
    """Memory is too short for a new conversation."""


class PoolError(Exception):
    """Do not raise directly. ``code`` is stable, the message is one sentence for an operator."""

    code = "internal"

    def __init__(
        self,
        text: str = "",
        *,
        retry_after_s: float | None = None,
        num_waiting: int | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(text)
        self.text = text
        self.retry_after_s = retry_after_s
        self.num_waiting = num_waiting
        """Requests in line, where that is why."""
        self.reason = reason
        """A RefusalReason, or empty."""


class Refused(PoolError):
    """Base of the reasons for which a request is not taken."""


class QueueFull(Refused):
    """Too many requests wait, or the wait would be too long; ``retry_after_s`` is computed."""

    code = "queue_full"


class InflightLimit(Refused):
    """The visitor has as many requests waiting or running as one visitor may have."""

    code = "inflight_limit"


class MemoryPressure(Refused):
    """Memory is so short that no new conversation is begun; those there are go on."""

    code = "memory_pressure"


class Paused(Refused):
    """The operator takes no questions at the moment; the text is what visitors are told."""

    code = "paused"


class NoModel(Refused):
    """No model is loaded and none will be without the operator; the message says why."""

    code = "no_model"


class TooLong(Refused):
    """The request does not fit into one frame of the pool protocol."""

    code = "too_long"


class UnknownGeneration(PoolError):
    """The pool never had this generation, or has forgotten it."""

    code = "not_found"


class PoolUnavailable(PoolError):
    """There is no pool to talk to at the moment."""

    code = "pool_lost"


class ProtocolMismatch(PoolUnavailable):
    """The process behind the socket speaks another version of the pool protocol."""

    code = "protocol"


class PoolLost(PoolUnavailable):
    """The connection broke while an answer was being followed.

    ``generation`` and ``last_seq`` (the last durable frame that arrived, 0 for none) are what a
    caller needs to follow it again.
    """

    def __init__(self, text: str = "", *, generation: str = "", last_seq: int = 0) -> None:
        super().__init__(text)
        self.generation = generation
        self.last_seq = last_seq


class BadFrame(PoolError):
    """Bytes or values that are not a valid frame. Never carries the content."""

    code = "bad_frame"


class PoolStartError(PoolError):
    """The pool cannot be started: a read-only directory, an unusable socket path."""

    code = "start"


_BY_CODE: dict[str, type[PoolError]] = {
    error.code: error
    for error in (
        QueueFull,
        InflightLimit,
        MemoryPressure,
        Paused,
        NoModel,
        TooLong,
        UnknownGeneration,
        PoolUnavailable,
        ProtocolMismatch,
        BadFrame,
    )
}


def error_for(
    code: str,
    text: str,
    retry_after_s: float | None = None,
    *,
    num_waiting: int | None = None,
    reason: str = "",
) -> PoolError:
    """Return the error that the other side described; an unknown code becomes a PoolError."""
    error = _BY_CODE.get(code, PoolError)
    return error(text, retry_after_s=retry_after_s, num_waiting=num_waiting, reason=reason)
